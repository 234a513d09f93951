import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ApiTurns } from '../../src/core/ports.ts';
import { createApiBudgets } from '../../src/lib/api-budget.ts';
import { inBackground } from '../../src/lib/background.ts';
import { ReadPutOff } from '../../src/lib/read-put-off.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';

const EU = { endpoint: 'https://api.cf.eu', account: 'ci' };
const opened: ApiTurns[] = [];

afterEach(async () => {
  jest.useRealTimers();
  for (const turns of opened.splice(0)) await turns.close();
});

function world(perSecond = 1_000) {
  const clock = virtualClock();
  const budgets = createApiBudgets(clock);
  function open(place = EU, platform = 'cf-eu'): ApiTurns {
    const turns = budgets.of(place, platform, perSecond);
    opened.push(turns);
    return turns;
  }
  return { clock, open };
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((next) => setTimeout(next, 1));
}

/** When, on the virtual clock, the call was made. */
async function madeAt(clock: VirtualClock, call: Promise<number>): Promise<number> {
  let at: number | undefined;
  void call.then((value) => {
    at = value;
  });
  for (let turn = 0; turn < 50; turn++) {
    await settle();
    if (at !== undefined) return at;
    clock.advance(500);
  }
  throw new Error('the call was never made');
}

describe('the budget of an account', () => {
  it('makes all its platforms wait as long as one of them was told to', async () => {
    const { clock, open } = world();
    const told = open(EU, 'cf-eu');
    const other = open(EU, 'cf-eu-too');
    const stranger = open({ ...EU, account: 'somebody' }, 'cf-eu-else');
    told.heard(429, { 'retry-after': '5' });
    expect(
      await madeAt(
        clock,
        stranger.take(async () => clock.now()),
      ),
    ).toBe(0);
    expect(
      await madeAt(
        clock,
        other.take(async () => clock.now()),
      ),
    ).toBe(5_000);
  });

  it('does not wait for an hour in silence', async () => {
    const { clock, open } = world();
    const turns = open();
    turns.heard(429, { 'x-ratelimit-reset': '3600' });
    expect(
      await madeAt(
        clock,
        turns.take(async () => clock.now()),
      ),
    ).toBe(0);
  });

  it('lets deployments go on and thins out reading when little is left', async () => {
    const { clock, open } = world();
    const turns = open();
    // Of 1,200 an hour a twentieth is left to readings: 60 calls in ten minutes, one every ten seconds.
    const scarce = () => ({
      'x-ratelimit-limit': '1200',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.round(600 - clock.now() / 1_000)),
    });
    turns.heard(200, scarce());
    async function read(calls: number): Promise<string> {
      return inBackground(async () => {
        for (let call = 0; call < calls; call++) {
          await turns.take(async () => 'seen');
          turns.heard(200, scarce());
        }
        return 'read';
      });
    }
    // One that has begun is carried on, though it takes more than there was.
    expect(await read(12)).toBe('read');
    expect(await turns.take(async () => 'deployed')).toBe('deployed');
    const refused = await read(1).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ReadPutOff);
    expect(refused).toMatchObject({ class: 'rateLimited', waitMs: 50_000, details: { where: 'cf-eu' } });
    clock.advance(49_000);
    await expect(read(1)).rejects.toBeInstanceOf(ReadPutOff);
    clock.advance(1_000);
    expect(await read(1)).toBe('read');
    // Somebody waits for it: whoever deploys, or cuts over.
    await expect(read(1)).rejects.toBeInstanceOf(ReadPutOff);
    expect(await inBackground(() => turns.take(async () => 'seen'), { urgent: true })).toBe('seen');
    // Not a rule but what was said last.
    turns.heard(200, { 'x-ratelimit-remaining': '2000', 'x-ratelimit-reset': '600' });
    expect(await read(20)).toBe('read');
  });

  it('goes on reading when the window is over', async () => {
    const { clock, open } = world();
    const turns = open();
    turns.heard(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' });
    const read = () => inBackground(() => turns.take(async () => 'seen'));
    for (let call = 0; call < 8; call++) await read();
    await expect(read()).rejects.toBeInstanceOf(ReadPutOff);
    clock.advance(60_000);
    for (let call = 0; call < 8; call++) expect(await read()).toBe('seen');
  });

  it('has eight calls at a time, and lets what changes things before what observes', async () => {
    const { open } = world();
    const [one, two] = [open(EU, 'a'), open(EU, 'b')];
    const order: string[] = [];
    const held: (() => void)[] = [];
    const hold = (): Promise<void> => new Promise((done) => held.push(done));
    const calls = Array.from({ length: 8 }, (_, i) => (i % 2 ? one : two).take(hold));
    while (held.length < 8) await settle();
    calls.push(inBackground(() => one.take(async () => void order.push('observe'))));
    calls.push(two.take(async () => void order.push('deploy')));
    await settle();
    expect(order).toEqual([]);
    held[0]?.();
    while (order.length < 2) await settle();
    expect(order).toEqual(['deploy', 'observe']);
    for (const done of held) done();
    await Promise.all(calls);
  });

  it('lets three seconds’ worth come at once, and then no more in a second than it may', async () => {
    jest.useFakeTimers();
    const { open } = world(2);
    const turns = open();
    let made = 0;
    const calls = Array.from({ length: 9 }, () => turns.take(async () => void made++));
    await jest.advanceTimersByTimeAsync(100);
    expect(made).toBe(6);
    await jest.advanceTimersByTimeAsync(1_200);
    expect(made).toBe(8);
    await jest.advanceTimersByTimeAsync(1_200);
    await Promise.all(calls);
    expect(made).toBe(9);
  });

  it('ends with the last who uses it', async () => {
    const { open } = world();
    const [one, two] = [open(EU, 'a'), open(EU, 'b')];
    await one.close();
    await one.close();
    expect(await two.take(async () => 'still')).toBe('still');
    await two.close();
    // A new one is not the one that ended.
    expect(await open().take(async () => 'anew')).toBe('anew');
  });
});
