import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import type { TrafficSignal } from '../../src/core/signals.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import {
  createFakeWire,
  FATES,
  type FakeClient,
  type Fate,
  PROVABLY_NOTHING,
  type Wish,
} from './fake-wire.ts';
import { silent, tableOf } from './harness.ts';

const wish: fc.Arbitrary<Wish> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PATCH', 'PUT', 'DELETE', 'BREW'),
  key: fc.boolean(),
  // None, one that can be sent again, one that cannot.
  bodyBytes: fc.constantFrom(0, 100, 100_000),
  abortAt: fc.option(fc.nat(200), { nil: undefined, freq: 6 }),
});

const story = fc.record({
  seed: fc.integer(),
  wishes: fc.array(wish, { minLength: 1, maxLength: 25 }),
  fates: fc.array(fc.constantFrom(...FATES), { minLength: 1, maxLength: 40 }),
  budget: fc.constantFrom(0, 1, 3),
  cap: fc.constantFrom(1, 2, 5, 1024),
  queue: fc.constantFrom(0, 2, 256),
  queueMs: fc.constantFrom(0, 60, 1_000),
  retry: fc.constantFrom('safe' as const, 'idempotent' as const),
  stallAt: fc.option(fc.nat(100), { nil: undefined }),
  swapAt: fc.option(fc.nat(100), { nil: undefined }),
});

const URLS = { a: 'http://10.0.0.1:1', b: 'http://10.0.0.2:1', c: 'http://10.0.0.3:1' };

/** May be sent again although it may have been executed: nothing else, whatever happens. */
function mayBeExecutedAgain({ method, key }: Wish, retry: 'safe' | 'idempotent'): boolean {
  if (['GET', 'HEAD', 'OPTIONS'].includes(method)) return true;
  return retry === 'idempotent' && (['PUT', 'DELETE'].includes(method) || key);
}

function executions({ fates }: FakeClient): readonly Fate[] {
  return fates.filter((fate) => !PROVABLY_NOTHING.has(fate));
}

describe('replays, whatever the origins do', () => {
  it('never execute an unsafe request twice, never follow an answer, and leave nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ seed, wishes, fates, budget, retry, stallAt, swapAt, ...full }) => {
        const { cap, queue, queueMs } = full;
        const clock = virtualClock();
        const random = seededRandom(seed);
        const wire = createFakeWire(clock, random, fates);
        const settings: GatewaySettings = {
          ...DEFAULT_GATEWAY,
          limits: { ...DEFAULT_GATEWAY.limits, perOrigin: cap, queue },
          timeouts: { ...DEFAULT_GATEWAY.timeouts, headMs: 1_000, idleMs: 2_000, queueMs },
          retryBudget: { ratio: 0, min: budget },
          // Stalls are told from outside here: the gateway's own probe would open sockets.
          stall: { ...DEFAULT_GATEWAY.stall, floorMs: 1e9 },
        };
        const gateway = createGateway({ worker: 1, settings, clock, random, logger: silent, wire });
        const traffic: TrafficSignal[] = [];
        gateway.onTraffic((signals) => traffic.push(...signals));
        await gateway.start();
        const targets = { a: { urls: [URLS.a] }, b: { urls: [URLS.b] }, c: { urls: [URLS.c] } };
        gateway.swap(tableOf(targets, { retry }));
        if (swapAt !== undefined)
          clock.after(swapAt, () => gateway.swap(tableOf({ b: targets.b, c: targets.c }, { retry })));
        if (stallAt !== undefined)
          clock.after(stallAt, () =>
            gateway.applyEjection({
              kind: 'ejection',
              at: clock.now(),
              worker: 2,
              platform: 'b',
              origin: 'b/10.0.0.2:1',
              reason: 'stall',
              until: clock.now() + 5_000,
            }),
          );

        const clients: FakeClient[] = [];
        for (const each of wishes) {
          clients.push(wire.send(each));
          clock.advance(Math.floor(random() * 10));
          await Promise.resolve();
          expect(gateway.metrics().queue.waiting).toBeLessThanOrEqual(queue);
        }
        // Attempts that hang one after the other, and waits for the budget and for a place between them. Places are
        // handed over between two advances, or found by the sweep.
        for (let i = 0; i < 400; i += 1) {
          clock.advance(50);
          if (i % 3 === 0) await Promise.resolve();
        }
        expect(wire.crowd).toBeLessThanOrEqual(cap);
        expect(gateway.metrics().queue.waiting).toBe(0);

        clients.forEach((client, i) => {
          const asked = wishes[i]!;
          if (!mayBeExecutedAgain(asked, retry)) expect(executions(client).length).toBeLessThanOrEqual(1);
          expect(client.crippled).toBe(0);
          expect(client.attemptsAfterHead).toBe(0);
          expect(client.heads).toBeLessThanOrEqual(1);
          expect(client.over).toBe(true);
        });
        expect(wire.open).toBe(0);
        expect(gateway.metrics().active).toBe(0);
        traffic.length = 0;
        clock.advance(1_000);
        expect(traffic).toEqual([]);
        await gateway.close();
      }),
      { numRuns: 300 },
    );
  });

  it('give every slot of the budget back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 30 }), fc.integer(), async (wishes, seed) => {
        const clock = virtualClock();
        const random = seededRandom(seed);
        // Ends in the two that the last request meets.
        const wire = createFakeWire(clock, random, ['503', 'reset', '504', '200', 'stale']);
        const settings: GatewaySettings = {
          ...DEFAULT_GATEWAY,
          retryBudget: { ratio: 0, min: 1 },
          ejection: { ...DEFAULT_GATEWAY.ejection, consecutive: 1e6, minRequests: 1e6 },
        };
        const gateway = createGateway({ worker: 1, settings, clock, random, logger: silent, wire });
        await gateway.start();
        gateway.swap(tableOf({ a: { urls: [URLS.a] }, b: { urls: [URLS.b] }, c: { urls: [URLS.c] } }));
        for (const each of wishes) wire.send(each);
        for (let i = 0; i < 400; i += 1) clock.advance(50);
        const refused = gateway.metrics().refusedByBudget;
        for (let i = 0; i < 5; i += 1) {
          const client = wire.send({ method: 'GET', key: false, bodyBytes: 0, abortAt: undefined });
          for (let j = 0; j < 10; j += 1) clock.advance(50);
          expect(client.over).toBe(true);
        }
        expect(gateway.metrics().refusedByBudget).toBe(refused);
        await gateway.close();
      }),
      { numRuns: 100 },
    );
  });
});
