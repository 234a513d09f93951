import { describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import type { EjectionSignal } from '../../src/core/signals.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { Lane, OriginState, wireOrigin } from '../../src/gateway/lane.ts';
import { OwnLateness } from '../../src/gateway/lateness.ts';
import { stallLimit } from '../../src/gateway/stall-limit.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { silent, tableOf } from './harness.ts';
import { createHeldWire, type HeldAttempt } from './held-wire.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const { stall: STALL } = DEFAULT_GATEWAY;

/** A clock that can jump: what a process sees that was not let run. */
function jumpingClock(): VirtualClock & { jump(ms: number): void } {
  const clock = virtualClock();
  let jumped = 0;
  return {
    ...clock,
    now: () => clock.now() + jumped,
    monotonic: () => clock.monotonic() + jumped,
    jump(ms) {
      jumped += ms;
    },
  };
}

interface Probed {
  readonly hostname: string;
  readonly at: number;
}

/** All traffic goes to A first; B is there to move to. `isFrozen` is what A's probe finds. */
async function setUp() {
  const clock = jumpingClock();
  const random = seededRandom(11);
  const wire = createHeldWire(clock);
  const probes: Probed[] = [];
  const state = { isFrozen: false };
  const gateway = createGateway({
    ...{ worker: 1, settings: DEFAULT_GATEWAY, clock, random, logger: silent, wire },
    probe({ hostname }, _host, timeoutMs, done) {
      probes.push({ hostname, at: clock.monotonic() });
      if (state.isFrozen) clock.after(timeoutMs, () => done(false));
      else clock.after(2, () => done(true));
    },
  });
  const ejections: EjectionSignal[] = [];
  gateway.onEjection((signal) => void ejections.push(signal));
  await gateway.start();
  clock.advance(1);
  const a = { urls: [`http://${A}`], share: 1 };
  gateway.swap(tableOf({ a, b: { urls: [`http://${B}`], share: 0 } }));

  /** 100 requests a second on A for so long; each is answered after as many milliseconds as `latency` says. */
  function load(ms: number, latency: (n: number) => number): void {
    for (let n = 0; n * 10 < ms; n += 1) {
      wire.send();
      const attempt = wire.attempts.at(-1)!;
      attempt.send();
      const isFirst = attempt.request.origin.hostname === A;
      clock.after(isFirst ? latency(n) : 5, () => {
        if (!attempt.over && !(isFirst && state.isFrozen)) attempt.answer();
      });
      clock.advance(10);
    }
  }

  /** Milliseconds from the freeze to the ejection. */
  function freeze(): number {
    state.isFrozen = true;
    const frozenAt = clock.monotonic();
    for (let i = 0; i < 200 && ejections.length === 0; i += 1) load(10, () => 5);
    expect(ejections.map(({ reason }) => reason)).toEqual(['stall']);
    return clock.monotonic() - frozenAt;
  }

  return { clock, wire, gateway, probes, ejections, state, load, freeze };
}

describe('a frozen origin', () => {
  it('is found within half a second', async () => {
    const { load, freeze, probes } = await setUp();
    load(15_000, () => 5);
    expect(probes).toEqual([]);
    expect(freeze()).toBeLessThan(420);
  });

  it('is found as soon after one bad second of the whole machine', async () => {
    const { load, freeze } = await setUp();
    load(12_000, () => 5);
    load(1_000, () => 400);
    load(1_000, () => 5);
    expect(freeze()).toBeLessThan(500);
  });

  it('is found as soon on a machine that is loaded: slower answers, with a long tail', async () => {
    const { load, freeze } = await setUp();
    load(15_000, (n) => (n % 25 === 0 ? 270 : 5 + (n % 20)));
    expect(freeze()).toBeLessThan(500);
  });

  it('is found as soon when it was we who were late all the time', async () => {
    const { clock, load, freeze } = await setUp();
    // Of each second we stand still for 150 ms, and whatever was under way looks as slow as that.
    for (let i = 0; i < 12; i += 1) {
      load(400, () => 15);
      clock.jump(150);
      load(450, () => 15);
    }
    expect(freeze()).toBeLessThan(500);
  });

  it('is found in a request that a probe has found waiting for a living origin before', async () => {
    const { clock, wire, state, ejections, probes } = await setUp();
    const client = wire.send();
    wire.attempts[0]!.send();
    clock.advance(1_000);
    // Each time after twice the silence, not again and again.
    expect(probes.map(({ at }) => at)).toEqual([250, 500, 850]);
    state.isFrozen = true;
    clock.advance(1_500);
    expect(ejections.map(({ reason }) => reason)).toEqual(['stall']);
    wire.at(B)[0]!.answer();
    clock.advance(10);
    expect(client.status).toBe(200);
  });
});

describe('what only looks like a stall', () => {
  const half = async (change: (attempt: HeldAttempt, all: Awaited<ReturnType<typeof setUp>>) => void) => {
    const all = await setUp();
    all.load(3_000, () => 5);
    all.state.isFrozen = true;
    all.wire.send();
    change(all.wire.attempts.at(-1)!, all);
    return all;
  };

  it('is asked for after max(200 ms, 4 × p99), and not before', async () => {
    const slow = await setUp();
    // As long as nothing is known of it, it is asked for.
    slow.load(2_000, () => 300);
    slow.probes.length = 0;
    slow.load(13_000, () => 300);
    expect(slow.probes).toEqual([]);
    slow.state.isFrozen = true;
    slow.clock.advance(1_100);
    expect(slow.probes).toEqual([]);
    slow.clock.advance(500);
    expect(slow.probes).toHaveLength(1);

    const fast = await half((attempt) => attempt.send());
    fast.clock.advance(190);
    expect(fast.probes).toEqual([]);
    fast.clock.advance(60);
    expect(fast.probes).toHaveLength(1);
  });

  it('an answer to anybody else, before or during the probe', async () => {
    const { clock, wire, load, probes, ejections } = await half((attempt) => attempt.send());
    wire.send();
    wire.attempts.at(-1)!.send();
    clock.advance(150);
    wire.attempts.at(-1)!.answer();
    clock.advance(150);
    expect(probes).toEqual([]);
    clock.advance(110);
    expect(probes).toHaveLength(1);
    wire.send();
    wire.attempts.at(-1)!.answer();
    clock.advance(200);
    expect(ejections).toEqual([]);
    load(10, () => 5);
  });

  it('a probe on a fresh connection that is answered', async () => {
    const { clock, state, probes, ejections } = await half((attempt) => attempt.send());
    state.isFrozen = false;
    clock.advance(10_000);
    expect(probes.length).toBeGreaterThan(1);
    expect(ejections).toEqual([]);
  });

  it.each([
    ['has not been connected', () => undefined],
    [
      'streams its answer',
      (attempt: HeldAttempt) => attempt.begin(200, ['content-type', 'text/event-stream']),
    ],
  ])('an exchange that %s', async (_what, change) => {
    const { clock, probes, ejections } = await half(change);
    clock.advance(5_000);
    expect([probes, ejections]).toEqual([[], []]);
  });

  it('an upload that is still under way', async () => {
    const { clock, wire, probes, ejections } = await setUp();
    wire.send({ method: 'POST', bodyBytes: 50_000_000 });
    wire.attempts[0]!.send();
    // 40 kB a millisecond.
    clock.advance(1_000);
    expect([probes, ejections]).toEqual([[], []]);
    // Once all of it is sent the origin owes an answer like any other.
    clock.advance(600);
    expect(probes).toHaveLength(1);
  });

  it('an exchange that has switched to another protocol', async () => {
    const { clock, probes, ejections } = await half((attempt) => attempt.begin(101));
    clock.advance(5_000);
    expect([probes, ejections]).toEqual([[], []]);
  });
});

describe('the limit of a stall', () => {
  it("is the design's formula: at least 200 ms, else four times p99", () => {
    expect(stallLimit(STALL, { p50Ms: 0, p99Ms: 0 })).toBe(200);
    expect(stallLimit(STALL, { p50Ms: 10, p99Ms: 40 })).toBe(200);
    expect(stallLimit(STALL, { p50Ms: 40, p99Ms: 60 })).toBe(240);
    expect(stallLimit(STALL, { p50Ms: 400, p99Ms: 500 })).toBe(2_000);
  });

  it('follows no tail for longer than ten medians', () => {
    expect(stallLimit(STALL, { p50Ms: 5, p99Ms: 400 })).toBe(200);
    expect(stallLimit(STALL, { p50Ms: 30, p99Ms: 400 })).toBe(300);
    expect(stallLimit(STALL, { p50Ms: 300, p99Ms: 400 })).toBe(1_600);
  });
});

describe('our own lateness', () => {
  it('is no latency of the origin', () => {
    const origin = new OriginState(wireOrigin('a/x', 'http://10.0.0.1', { sni: undefined }), 'a');
    const options = { settings: DEFAULT_GATEWAY, random: () => 0.5 };
    const [ours, its] = [new Lane('shop', origin, options), new Lane('blog', origin, options)];
    for (let i = 0; i < 50; i += 1) {
      ours.headCame(i, 400, 390);
      its.headCame(i, 400, 0);
    }
    ours.renewStallLimit(100, STALL);
    its.renewStallLimit(100, STALL);
    expect(ours.stallAfterMs).toBe(200);
    expect(its.stallAfterMs).toBeGreaterThan(1_000);
    // What clients waited is told as it was.
    expect(ours.outcomes.take().p50Ms).toBeGreaterThan(390);
  });

  it('is what the timer came too late, as far as it lies in the span', () => {
    const lateness = new OwnLateness(50, 0);
    lateness.tick(50);
    lateness.tick(300);
    lateness.tick(355);
    expect(lateness.within(0, 355)).toBe(200);
    expect(lateness.within(200, 355)).toBe(100);
    expect(lateness.within(310, 355)).toBe(0);
  });

  it('is seen before the timer has come', () => {
    const lateness = new OwnLateness(50, 0);
    expect(lateness.within(0, 55)).toBe(0);
    expect(lateness.within(0, 260)).toBe(200);
  });
});
