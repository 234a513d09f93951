import { describe, expect, it } from '@jest/globals';
import type { RouteSettings } from '../../src/core/settings.ts';
import { APP, type Scenario, scenario } from '../support/scenario.ts';

const PLAIN = { host: '*', publicHost: 'map', retry: 'safe' } as const;
const ROUTES: readonly RouteSettings[] = [
  { ...PLAIN, path: '/pay', priority: 10 },
  { ...PLAIN, path: '/' },
  { ...PLAIN, path: '/reports', priority: -5 },
];
const ASKED = { '/pay': 60, '/': 100, '/reports': 40 } as const;

/** Two workers ask as many requests of each route as in `ASKED` together, and shed as the table says. */
function play(s: Scenario, seconds: number): number {
  const table = s.tables.length;
  for (let second = 0; second < seconds; second += 1) {
    s.run(1_000);
    let arrived = 0;
    for (const worker of [1, 2]) {
      const routes = Object.entries(ASKED).map(([path, rps]) => {
        const part = s.engine.table.routes.find((route) => route.path === path)?.shed ?? 0;
        const requests = rps / 2;
        const shed = Math.round(requests * part);
        arrived += requests - shed;
        return { host: '*', path, requests, shed };
      });
      s.engine.accept({
        ...{ kind: 'demand', at: s.clock.now(), windowMs: 1_000, worker, application: APP },
        routes,
      });
    }
    s.traffic({ cf: arrived });
  }
  return s.tables.length - table;
}

function parts(s: Scenario): Readonly<Record<string, number | undefined>> {
  return Object.fromEntries(s.engine.table.routes.map(({ path, shed }) => [path, shed]));
}

function busy(capacityRps: number): Scenario {
  const s = scenario({
    targets: [{ platform: 'cf', capacityRps }],
    policy: { overload: 'shed', overprovision: 1 },
    routes: ROUTES,
  });
  // Not with the ticks of the engine: a window would be missing.
  s.run(3_010);
  return s;
}

describe('demand that nobody can carry', () => {
  it('is shed by the priority of routes, by what all workers together are asked for', () => {
    const s = busy(120);
    play(s, 20);
    const { '/pay': pay, '/': browse, '/reports': reports } = parts(s);
    expect([pay, reports]).toEqual([0, 1]);
    expect(browse).toBeGreaterThan(0.35);
    expect(browse).toBeLessThan(0.45);
    expect(s.engine.table.routes.every(({ counted }) => counted === true)).toBe(true);
  });

  it('stays shed while it is asked for: what was refused counts as demand', () => {
    const s = busy(120);
    play(s, 20);
    const settled = parts(s);
    expect(play(s, 60)).toBeLessThanOrEqual(1);
    expect(parts(s)).toEqual(settled);
    expect(s.engine.statusOf(APP)?.demandRps).toBeGreaterThan(170);
  });

  it('is told as it changes, in events, status and explanation', () => {
    const s = busy(120);
    play(s, 30);
    const events = s.of('shedding.changed');
    expect(events.length).toBeGreaterThan(0);
    expect(events.length).toBeLessThan(12);
    expect(events.at(-1)?.by.map(({ priority }) => priority)).toEqual([-5, 0, 10]);
    expect(s.engine.statusOf(APP)?.routes).toEqual([
      { host: '*', path: '/pay', priority: 10, rps: 60, shed: 0 },
      { host: '*', path: '/', priority: 0, rps: 100, shed: expect.any(Number) },
      { host: '*', path: '/reports', priority: -5, rps: 40, shed: 1 },
    ]);
    const steps = s.engine.explain(APP)?.steps ?? [];
    expect(steps.find(({ stage }) => stage === 'shedding')?.lines.join('\n')).toContain(
      'priority -5 (/reports), 40 rps: refused',
    );
  });

  it('is served again when there is less of it', () => {
    const s = busy(120);
    play(s, 20);
    s.traffic({ cf: 50 });
    s.run(40_000);
    expect(parts(s)).toEqual({ '/pay': undefined, '/': undefined, '/reports': undefined });
    expect(s.of('shedding.changed').at(-1)).toMatchObject({ part: 0, by: [] });
  });
});
