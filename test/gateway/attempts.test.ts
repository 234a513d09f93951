import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { nextAttempt } from '../../src/gateway/attempts.ts';
import { Lane, OriginState, wireOrigin } from '../../src/gateway/lane.ts';
import { RouteTally } from '../../src/gateway/route-tally.ts';
import type { CompiledRoute } from '../../src/gateway/routes.ts';
import { seededRandom } from '../../src/lib/random.ts';

interface Wish {
  readonly trial?: boolean;
  readonly share: number;
  readonly active?: boolean;
  readonly origins?: number;
}

function routeOf(wishes: readonly Wish[]): CompiledRoute {
  return {
    application: 'shop',
    host: '*',
    path: '/',
    rateLimit: undefined,
    shed: 0,
    counted: false,
    tally: new RouteTally(),
    writes: undefined,
    sessions: undefined,
    rewrite: false,
    idempotentToo: false,
    targets: wishes.map(({ share, active = true, origins = 1, trial = false }, index) => ({
      platform: `p${index}`,
      share,
      active,
      trial,
      release: undefined,
      edit: { host: undefined, platform: 'a', role: undefined },
      lanes: Array.from({ length: origins }, (_, n) => {
        const wire = wireOrigin(`p${index}/10.0.0.1:${n + 1}`, `http://10.0.0.1:${n + 1}`, {
          sni: undefined,
        });
        return new Lane('shop', new OriginState(wire, `p${index}`), {
          settings: DEFAULT_GATEWAY,
          random: () => 0.5,
        });
      }),
    })),
  };
}

const fresh = { now: 0, replayable: true, tried: [] };

function draws(route: CompiledRoute, count: number, seed: number): number[] {
  const random = seededRandom(seed);
  const hits = route.targets.map(() => 0);
  for (let i = 0; i < count; i += 1) {
    const chosen = nextAttempt(route, fresh, random)?.target;
    route.targets.forEach((target, index) => {
      if (target === chosen) hits[index] = (hits[index] ?? 0) + 1;
    });
  }
  return hits;
}

describe('the choice of an attempt', () => {
  it('follows the shares over many draws', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 5 })
          .filter((w) => w.some((x) => x > 0)),
        fc.integer(),
        (weights, seed) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const route = routeOf(weights.map((weight) => ({ share: weight / total })));
          const hits = draws(route, 4_000, seed);
          hits.forEach((hit, index) => {
            expect(Math.abs(hit / 4_000 - (weights[index] ?? 0) / total)).toBeLessThan(0.05);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('gives the share of an ejected target to the others in proportion', () => {
    const route = routeOf([{ share: 0.5 }, { share: 0.375 }, { share: 0.125 }]);
    route.targets[0]?.lanes[0]?.gate.open(0, 'refused');
    const [a = 0, b = 0, c = 0] = draws(route, 4_000, 3);
    expect(a).toBe(0);
    expect(b / c).toBeGreaterThan(2.5);
    expect(b / c).toBeLessThan(3.6);
  });

  it('takes the others in the order of the table after a failure, spares last', () => {
    const route = routeOf([{ share: 0 }, { share: 1 }, { share: 0, active: false }]);
    const [a, b, c] = route.targets;
    const first = nextAttempt(route, fresh, seededRandom(1));
    expect(first?.target).toBe(b);
    const second = nextAttempt(route, { ...fresh, tried: [b!.lanes[0]!] }, seededRandom(1));
    expect(second?.target).toBe(a);
    const third = nextAttempt(route, { ...fresh, tried: [b!.lanes[0]!, a!.lanes[0]!] }, seededRandom(1));
    expect(third?.target).toBe(c);
    expect(
      nextAttempt(route, { ...fresh, tried: route.targets.map((t) => t.lanes[0]!) }, seededRandom(1)),
    ).toBeUndefined();
  });

  it('takes the least busy origin within a target', () => {
    const route = routeOf([{ share: 1, origins: 3 }]);
    const [x, y, z] = route.targets[0]!.lanes;
    x!.gate.enter();
    z!.gate.enter();
    expect(nextAttempt(route, fresh, seededRandom(1))?.lane).toBe(y);
  });

  it('spreads over origins that are equally busy', () => {
    const route = routeOf([{ share: 1, origins: 4 }]);
    const random = seededRandom(5);
    const used = new Set(Array.from({ length: 100 }, () => nextAttempt(route, fresh, random)?.lane));
    expect(used.size).toBe(4);
  });

  it('uses an ejected origin when nobody else is left, but never a stalled one', () => {
    const route = routeOf([{ share: 1 }, { share: 0 }]);
    const [a, b] = route.targets;
    b!.lanes[0]!.gate.open(0, 'stall');
    a!.lanes[0]!.gate.open(0, 'refused');
    expect(nextAttempt(route, fresh, seededRandom(1))?.target).toBe(a);
    a!.lanes[0]!.gate.reason = 'stall';
    expect(nextAttempt(route, fresh, seededRandom(1))).toBeUndefined();
  });

  it('passes nobody over the cap', () => {
    const route = routeOf([{ share: 1 }]);
    const gate = route.targets[0]!.lanes[0]!.gate;
    for (let i = 0; i < DEFAULT_GATEWAY.limits.perOrigin; i += 1) gate.enter();
    expect(nextAttempt(route, fresh, seededRandom(1))).toBeUndefined();
  });
});
