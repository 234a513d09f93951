import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { Intent } from '../../src/core/intent.ts';
import type { StateStore } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { intentRecordsIn } from '../../src/orchestrator/intent-records.ts';
import { createIntentExecutor, type IntentExecutor } from '../../src/orchestrator/intents.ts';
import { type CommandOutcome, type CommandWish, commandRunner } from '../../src/orchestrator/run-command.ts';
import { memoryStore } from '../../src/state/memory-store.ts';
import { application, eventLog, silent, target } from '../support/scenario.ts';
import { pass } from '../support/virtual-time.ts';

const clock = virtualClock(1_000_000);
let store: StateStore;
let events: LoggedEvent[];
let acts: OperatorAct[];
let told: unknown[];
let commands: CommandWish[];
let finish: (outcome: CommandOutcome) => void;
let executors: IntentExecutor[];

function open(promote = './promote.sh'): IntentExecutor {
  const data = { writes: 'single', writer: 'a', ...(promote === '' ? {} : { promote }) } as const;
  const shop = application([target({ platform: 'a' }), target({ platform: 'b' })], { data });
  const executor = createIntentExecutor({
    records: intentRecordsIn(store),
    settings: { file: '/etc/sluice/sluice.yaml', applications: { shop } },
    ...{ store, clock, events: eventLog(clock, events), logger: silent, providers: new Map() },
    engine: {
      promoted: (...all) => told.push(['promoted', ...all]),
      capacityTook: () => undefined,
      recall: (...all) => told.push(['recall', ...all]),
    },
    observe: () => Promise.reject(new Error('nobody scales here')),
    acts: () => acts,
    identity: { holder: 'a test', process: { host: 'here', pid: process.pid }, uniqueId: () => '1' },
    runCommand(wish) {
      commands.push(wish);
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    env: { PATH: '/bin' },
  });
  executors.push(executor);
  return executor;
}

const promotion = (platform: string, epoch: number): Intent => ({
  ...{ kind: 'promote-writer', platform, epoch },
  reason: 'the writer cannot take writes',
});
const failover = (platform: string): OperatorAct => ({
  ...{ id: `a-${clock.now()}`, kind: 'failover', platform, application: 'shop' },
  ...{ who: 'ada', reason: '', since: clock.now(), until: undefined },
});

beforeEach(() => {
  store = memoryStore(clock);
  [events, acts, told, commands, executors] = [[], [], [], [], []];
});
afterEach(async () => {
  finish?.({ ok: true });
  for (const executor of executors) await executor.close();
  await store.close();
});

describe('a promotion', () => {
  it('runs its command once for an epoch, and only then is the writer told', async () => {
    const executor = open();
    executor.want('shop', [promotion('b', 2)]);
    await pass(clock, 5_000, 100);
    executor.want('shop', [{ ...promotion('b', 2), reason: 'said otherwise' } as Intent]);
    await pass(clock, 5_000, 100);
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatchObject({
      command: './promote.sh',
      cwd: '/etc/sluice',
      timeoutMs: 60_000,
      env: {
        ...{ PATH: '/bin', SLUICE_APPLICATION: 'shop', SLUICE_WRITER: 'b' },
        ...{ SLUICE_PREVIOUS_WRITER: 'a', SLUICE_EPOCH: '2' },
      },
    });
    expect(executor.promotion('shop')).toMatchObject({ state: 'running' });
    expect(told).toEqual([]);
    finish({ ok: true });
    await pass(clock, 100);
    expect(told).toEqual([['promoted', 'shop', 2]]);
    expect(events.map(({ type }) => type)).toEqual(['writer.promoted']);
    expect(executor.promotion('shop')).toBeUndefined();
  });

  it('without a command puts the epoch on record, which the next process is told', async () => {
    open('').want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    expect(told).toEqual([['promoted', 'shop', 2]]);
    expect(commands).toEqual([]);
    told = [];
    await open('').restore(['shop']);
    const writer = { platform: 'b', epoch: 2, ready: true, since: expect.any(Number) };
    expect(told).toEqual([
      ['recall', 'shop', { scaledFrom: {}, timesToCapacity: {}, writer, promotedEpoch: 2 }],
    ]);
  });

  it('is not repeated for an epoch that is promoted already, and gives none to two platforms', async () => {
    const first = open();
    first.want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    finish({ ok: true });
    await pass(clock, 100);
    const next = open();
    next.want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    expect(told.at(-1)).toEqual(['promoted', 'shop', 2]);
    next.want('shop', [promotion('c', 2)]);
    await pass(clock, 2_000, 100);
    expect(told.at(-1)).toMatchObject([
      'recall',
      'shop',
      { writer: { platform: 'b', epoch: 2, ready: true } },
    ]);
    expect(commands).toHaveLength(1);
  });

  it('that failed is tried again on order only', async () => {
    const executor = open();
    executor.want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    acts = [failover('b')];
    await pass(clock, 100);
    finish({ ok: false, why: 'exited with 3', tail: ['no replica here'] });
    await pass(clock, 60_000, 500);
    expect(commands).toHaveLength(1);
    expect(told).toEqual([]);
    expect(executor.promotion('shop')).toMatchObject({
      state: 'failed',
      why: '`./promote.sh` exited with 3',
    });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: 'writer.failed',
      error: {
        code: 'PROMOTION_FAILED',
        remedy: 'look at the data on b; then order another try: sluice failover b --app shop',
        logTail: ['no replica here'],
      },
    });
    acts = [failover('a')];
    await pass(clock, 3_000, 500);
    expect(commands).toHaveLength(1);
    acts = [failover('b')];
    await pass(clock, 3_000, 500);
    expect(commands).toHaveLength(2);
    finish({ ok: true });
    await pass(clock, 100);
    expect(told).toEqual([['promoted', 'shop', 2]]);
  });

  it('whose process died is nothing to be repeated: a person has to look', async () => {
    open().want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    const next = open();
    clock.advance(60_000);
    await next.restore(['shop']);
    expect(told).toMatchObject([['recall', 'shop', { writer: { platform: 'b', epoch: 2, ready: false } }]]);
    next.want('shop', [promotion('b', 2)]);
    await pass(clock, 10_000, 500);
    expect(commands).toHaveLength(1);
    expect(next.promotion('shop')).toMatchObject({ state: 'broken-off' });
    expect(events.map(({ type }) => type)).toEqual(['writer.failed']);
  });

  it('does not wait for a deployment, but for another promotion', async () => {
    const holder = { id: 'another', reason: 'deploying', since: clock.now() };
    await store.acquire('deploy-shop', holder, 60_000);
    const lease = await store.acquire('writer-shop', holder, 60_000);
    const executor = open();
    executor.want('shop', [promotion('b', 2)]);
    await pass(clock, 5_000, 100);
    expect(commands).toEqual([]);
    expect(executor.promotion('shop')).toMatchObject({ state: 'waiting', why: 'deploying' });
    if (lease.held) await lease.release();
    await pass(clock, 3_000, 100);
    expect(commands).toHaveLength(1);
  });

  it('that is overtaken by the next epoch does not speak for it', async () => {
    const executor = open();
    executor.want('shop', [promotion('b', 2)]);
    await pass(clock, 100);
    executor.want('shop', [promotion('a', 3)]);
    await pass(clock, 100);
    expect(commands).toHaveLength(1);
    finish({ ok: true });
    await pass(clock, 100);
    expect(told).toEqual([['promoted', 'shop', 2]]);
    expect(commands.map(({ env }) => env['SLUICE_EPOCH'])).toEqual(['2', '3']);
  });
});

describe('a command', () => {
  const run = commandRunner(systemClock);
  const lines: string[] = [];
  const wish = (command: string, timeoutMs = 10_000): CommandWish => ({
    ...{ command, cwd: '/', env: { PATH: process.env['PATH'], GIVEN: 'yes' }, timeoutMs },
    onLine: (line) => lines.push(line),
  });

  it('gets the environment it is given, and its output is heard line by line', async () => {
    lines.length = 0;
    expect(await run(wish('echo "$GIVEN"; printf last >&2'))).toEqual({ ok: true });
    expect(lines.sort()).toEqual(['last', 'yes']);
  });

  it.each([
    ['exit 3', 'exited with 3'],
    ['kill -9 $$', 'killed by SIGKILL'],
    ['nonsense-that-is-none', 'exited with 127'],
  ])('that fails says how: %s', async (command, why) => {
    expect(await run(wish(command))).toMatchObject({ ok: false, why });
  });

  it('that takes too long is ended with all that it started', async () => {
    const outcome = await run(wish('echo begun; sleep 60 & wait', 300));
    expect(outcome).toEqual({ ok: false, why: 'did not end in 0.3 s', tail: ['begun'] });
  });

  it('that leaves something running in its pipes ends all the same', async () => {
    expect(await run(wish('sleep 3 & echo done'))).toEqual({ ok: true });
  });
});
