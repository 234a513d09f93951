import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../policies/decide.ts';
import { sameRouting } from '../../src/core/routing-table.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { application, eventLog, START, scenario, silent, target } from '../support/scenario.ts';

const PAIR = [
  { platform: 'cf', weight: 60 },
  { platform: 'ocp', weight: 40 },
];

describe('tables', () => {
  it('are published only when routing differs', () => {
    const s = scenario({ targets: PAIR });
    s.run(60_000);
    const { version } = s.engine.table;
    s.run(60_000);
    expect(s.engine.table.version).toBe(version);
    s.tables.slice(1).forEach((table, index) => {
      const before = s.tables[index];
      expect(before !== undefined && sameRouting(before, table)).toBe(false);
    });
    expect(s.of('table.published')).toHaveLength(s.tables.length);
  });

  it('rise in version whatever happens, and never are without a target once they had one', () => {
    const act = fc.record({
      platform: fc.constantFrom('cf', 'ocp'),
      path: fc.constantFrom('ok', 'refused', 'frozen', 'status 503' as const),
      api: fc.constantFrom('ok', 'down' as const),
      running: fc.integer({ min: 0, max: 2 }),
      eject: fc.boolean(),
      forMs: fc.integer({ min: 10, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 10 }), (acts) => {
        const s = scenario({ targets: PAIR });
        s.run(1_000);
        for (const { platform, forMs, eject, ...state } of acts) {
          Object.assign(s.platform(platform), state);
          if (eject) s.eject(platform, 'stall');
          s.run(forMs);
        }
        let last = 0;
        for (const { version, routes } of s.tables) {
          expect(version).toBeGreaterThan(last);
          if (last > 1) expect(routes[0]?.targets.length).toBeGreaterThan(0);
          last = version;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('rise above a version that was seen elsewhere', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.engine.surpass(500);
    expect(s.engine.table.version).toBe(501);
    s.engine.surpass(500);
    expect(s.engine.table.version).toBe(501);
  });

  it('come once for signals that come together', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    const before = s.tables.length;
    s.eject('cf', 'refused', 5_000, 1);
    s.eject('cf', 'refused', 5_000, 2);
    s.run(50);
    expect(s.tables.length).toBe(before + 1);
  });
});

describe('verdicts', () => {
  it('are told when they change, with cause and evidence', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(2_000);
    const last = s.of('verdict.changed').at(-1);
    expect(last).toMatchObject({ platform: 'cf', from: 'up', to: 'down', cause: '1 probe failed: refused' });
    expect(last?.evidence[0]).toContain('cf/127.0.0.1:8080 down');
  });
});

describe('an ejection behind a shared router', () => {
  function two() {
    const clock = virtualClock(START);
    const targets = [target({ platform: 'cf' }), target({ platform: 'ocp' })];
    const engine = createEngine({
      applications: ['shop', 'blog'].map((name) => application(targets, { name })),
      platforms: {},
      clock,
      logger: silent,
      events: eventLog(clock, []),
      decide,
      judge: healthJudge,
    });
    const common = { release: undefined, pinned: false, hostHeader: undefined, sni: undefined };
    for (const name of ['shop', 'blog']) {
      engine.setTargets(name, [
        { platform: 'cf', ...common, urls: ['http://127.0.0.1:1'] },
        { platform: 'ocp', ...common, urls: ['http://127.0.0.1:2'] },
      ]);
    }
    void engine.start();
    const ejection = {
      kind: 'ejection',
      at: START,
      worker: 1,
      platform: 'cf',
      origin: 'cf/127.0.0.1:1',
    } as const;
    return { clock, engine, ejection: { ...ejection, until: START + 5_000 } };
  }

  it('concerns all applications when it is the address that fails', () => {
    const { clock, engine, ejection } = two();
    engine.accept({ ...ejection, reason: 'refused' });
    clock.advance(50);
    const verdicts = engine.verdicts();
    expect([verdicts['shop']?.['cf']?.state, verdicts['blog']?.['cf']?.state]).toEqual(['down', 'down']);
  });

  it('concerns one application when it is the application that fails', () => {
    const { clock, engine, ejection } = two();
    engine.accept({ ...ejection, application: 'shop', reason: 'consecutive-failures' });
    clock.advance(50);
    const verdicts = engine.verdicts();
    expect([verdicts['shop']?.['cf']?.state, verdicts['blog']?.['cf']?.state]).toEqual(['down', 'unknown']);
  });
});

describe('the answers to people', () => {
  it('are a status for every platform', () => {
    const s = scenario({ targets: PAIR, proven: true });
    s.run(1_000);
    s.traffic({ cf: 60, ocp: 40 }, { ocp: 10 });
    s.run(12_000);
    const status = s.engine.statusOf('shop');
    expect(Math.round(status?.demandRps ?? 0)).toBe(110);
    expect(status?.platforms.map(({ name, share, state }) => [name, share, state])).toEqual([
      ['cf', 0.6, 'active'],
      ['ocp', 0.4, 'active'],
    ]);
    expect(status?.platforms[1]).toMatchObject({
      provider: 'cloudfoundry',
      rps: 50,
      errorRate: 0.2,
      p95Ms: 20,
      instances: { running: 2, desired: 2 },
      release: { id: 'r-0000000001' },
      api: { reachable: true },
      origins: 1,
      ejectedOrigins: 0,
    });
    expect(s.engine.statusOf('nothing')).toBeUndefined();
  });

  it('are an explanation, also when nothing happens', () => {
    const s = scenario({ targets: PAIR });
    s.run(60_000);
    expect(s.engine.explain('shop')).toMatchObject({
      application: 'shop',
      shares: { cf: 0.6, ocp: 0.4 },
      summary: 'cf 60 %, ocp 40 %: all targets stand as the policy wants them',
    });
  });
});

describe('origins', () => {
  it('leave the table before their instances are taken away', () => {
    const s = scenario({ targets: [{ platform: 'rack' }] });
    s.platform('rack').urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
    s.run(3_000);
    const version = s.engine.retireOrigins('shop', ['rack/127.0.0.1:1']);
    expect(s.engine.table.version).toBe(version);
    expect(s.engine.table.routes[0]?.targets[0]?.origins.map(({ id }) => id)).toEqual(['rack/127.0.0.1:2']);
    s.run(3_000);
    expect(s.engine.table.version).toBe(version);
    expect(s.engine.watched).toHaveLength(1);
  });

  it('of a static platform serve whatever release they run', () => {
    const s = scenario({ targets: PAIR, provider: 'static', proven: true });
    s.engine.allowReleases('shop', ['r-00000000ff']);
    s.run(2_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
  });

  it('that the platform no longer has are no longer probed', () => {
    const s = scenario({ targets: [{ platform: 'rack' }] });
    s.platform('rack').urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
    s.run(3_000);
    s.platform('rack').urls = ['http://127.0.0.1:2'];
    s.run(2_500);
    expect(s.engine.watched.map(({ url }) => url)).toEqual(['http://127.0.0.1:2']);
  });
});

describe('services that differ between platforms', () => {
  it('make a platform unready for a failover, and move no traffic', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    const tables = s.tables.length;
    const services = (faults: readonly string[]): void =>
      s.engine.accept({
        ...{ kind: 'services', at: s.clock.now(), application: 'shop', platform: 'ocp', faults },
      });
    services(['DB_URL is another than on cf']);
    s.run(30_000);
    const told = s.engine.statusOf('shop')?.platforms.find(({ name }) => name === 'ocp')?.readiness;
    expect(told).toContainEqual({ name: 'secrets', state: 'failed', detail: 'DB_URL is another than on cf' });
    expect(s.of('failover.unready')[0]?.reasons).toContain('ocp: DB_URL is another than on cf');
    services([]);
    s.run(30_000);
    expect(s.of('failover.ready')).toHaveLength(1);
    expect(s.tables.length).toBe(tables);
  });
});
