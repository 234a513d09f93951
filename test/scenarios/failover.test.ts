import { describe, expect, it } from '@jest/globals';
import { START, scenario, sharesIn } from '../support/scenario.ts';

const PAIR = [
  { platform: 'cf', weight: 60 },
  { platform: 'ocp', weight: 40 },
];

describe('start', () => {
  it('gives full shares at once, without hold-down or ramp', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
    expect(s.verdict('cf')).toBe('up');
  });

  it('serves nobody worse than before: with the last table and nothing known, that table stands', () => {
    const first = scenario({ targets: PAIR });
    first.run(1_000);
    const s = scenario({ targets: PAIR, lastTable: first.engine.table, blind: true });
    s.run(60_000);
    expect(s.tables).toEqual([]);
    expect(s.engine.table).toEqual(first.engine.table);
    expect(s.engine.watched.map(({ platform }) => platform)).toEqual(['cf', 'ocp']);
    expect(s.engine.explain('shop')).toMatchObject({ shares: { cf: 0.6, ocp: 0.4 } });
    expect(s.engine.explain('shop')?.summary).toContain('last table');
    expect(s.engine.statusOf('shop')?.platforms[0]).toMatchObject({ share: 0.6, state: 'active' });
  });

  it('goes on from the last table with higher versions and moves nothing while probes confirm it', () => {
    const first = scenario({ targets: PAIR });
    first.run(1_000);
    const s = scenario({ targets: PAIR, lastTable: first.engine.table });
    s.run(5_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
    for (const table of s.tables) {
      expect(table.version).toBeGreaterThan(first.engine.table.version);
      expect(sharesIn(table)).toEqual({ cf: 0.6, ocp: 0.4 });
    }
  });

  it('holds down after a restart who had no share before it', () => {
    const first = scenario({ targets: PAIR });
    first.run(1_000);
    first.platform('cf').path = 'refused';
    first.run(2_000);
    const s = scenario({ targets: PAIR, lastTable: first.engine.table });
    s.run(30_000);
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
  });

  it('serves the origins of the last table while no API answers', () => {
    const first = scenario({ targets: PAIR });
    first.run(1_000);
    const s = scenario({ targets: PAIR, lastTable: first.engine.table });
    s.platform('cf').api = 'down';
    s.platform('ocp').api = 'down';
    s.run(60_000);
    expect(s.engine.table).toEqual(first.engine.table);
    expect(s.verdict('cf')).toBe('up');
  });

  it('leaves with the first probe a platform that died while nobody decided', () => {
    const first = scenario({ targets: PAIR });
    first.run(1_000);
    const s = scenario({ targets: PAIR, lastTable: first.engine.table });
    s.platform('cf').path = 'refused';
    s.run(500);
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
  });

  it('lets platforms join at full share that come up after the others', () => {
    const s = scenario({ targets: PAIR });
    s.platform('ocp').path = 'refused';
    s.run(10_000);
    expect(s.shares()).toEqual({ cf: 1, ocp: 0 });
    s.platform('ocp').path = 'ok';
    s.run(3_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
  });
});

describe('a platform that dies', () => {
  it('loses its share at the first refused probe, and the reason says where it went', () => {
    const s = scenario({ targets: PAIR.map((t) => ({ ...t, capacityRpsPerInstance: 45 })) });
    s.run(1_000);
    s.traffic({ cf: 60, ocp: 40 });
    s.run(10_000);
    s.platform('cf').path = 'refused';
    s.run(1_050);
    expect(s.verdict('cf')).toBe('down');
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    const [last] = s.of('decision.made').slice(-1);
    expect(last?.reasons).toEqual([
      'cf down: 1 probe failed: refused; its 60 % go to ocp (50 rps of 90 rps free)',
    ]);
  });

  it('is left within one second by ejections alone when it freezes', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'frozen';
    s.run(200);
    s.eject('cf', 'stall');
    s.run(50);
    expect(s.verdict('cf')).toBe('down');
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    expect(s.of('origin.ejected')).toHaveLength(1);
  });

  it('is left after `fall` probes when it freezes without traffic', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'frozen';
    s.run(2_000);
    expect(s.verdict('cf')).toBe('up');
    s.run(1_100);
    expect(s.verdict('cf')).toBe('down');
  });

  it('is offered as nothing new while it is down', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(1_100);
    expect(s.engine.table.routes[0]?.targets.map(({ platform, state }) => [platform, state])).toEqual([
      ['ocp', 'active'],
      ['cf', 'draining'],
    ]);
  });

  it('comes back after the hold-down, step by step', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(5_000);
    s.platform('cf').path = 'ok';
    s.run(30_000);
    expect(s.verdict('cf')).toBe('up');
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    const seen: number[] = [];
    for (let i = 0; i < 24; i++) {
      s.run(10_000);
      const { cf = 0 } = s.shares();
      if (seen.at(-1) !== cf) seen.push(cf);
    }
    expect(seen).toEqual([0, 0.006, 0.03, 0.15, 0.3, 0.6]);
    const back = s.of('decision.made').find(({ reasons }) => reasons.some((r) => r.includes('full share')));
    // 2 probes after 5 s, 60 s hold-down, four steps of 30 s.
    expect((back?.at ?? 0) - START).toBeGreaterThan(187_000);
    expect((back?.at ?? 0) - START).toBeLessThan(189_000);
  });

  it('waits twice as long after each further failover within the hour, at most 15 minutes', () => {
    const policy = { ramp: { steps: [1], everyMs: 0 }, maxFailoversPerHour: 100 };
    const s = scenario({ targets: PAIR, policy });
    s.run(1_000);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      s.platform('cf').path = 'refused';
      s.run(2_000);
      expect(s.shares()['cf']).toBe(0);
      s.platform('cf').path = 'ok';
      while (s.verdict('cf') !== 'up') s.run(250);
      let waited = 0;
      while (s.shares()['cf'] === 0 && waited < 1_000_000) {
        s.run(1_000);
        waited += 1_000;
      }
      waits.push(Math.round(waited / 10_000) * 10);
    }
    expect(waits).toEqual([60, 120, 240, 480, 900, 900]);
  });

  it('keeps the stable platform loaded while the other toggles every second', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    for (let i = 0; i < 120; i++) {
      s.platform('cf').path = i % 2 === 0 ? 'refused' : 'ok';
      s.run(1_000);
    }
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    expect(s.of('decision.made').length).toBeLessThanOrEqual(4);
  });

  it('serves at once, without hold-down, when the other one dies meanwhile', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(5_000);
    s.platform('cf').path = 'ok';
    s.run(5_000);
    expect(s.shares()['cf']).toBe(0);
    s.platform('ocp').path = 'refused';
    s.run(1_100);
    expect(s.shares()).toEqual({ cf: 1, ocp: 0 });
  });

  it('returns from an ejection only after `rise` probes, whatever worker let it in again', () => {
    const s = scenario({
      targets: PAIR,
      policy: { holdDown: { baseMs: 0, maxMs: 0 }, ramp: { steps: [1], everyMs: 0 } },
    });
    s.run(1_000);
    s.eject('cf', 'consecutive-failures');
    s.run(100);
    expect(s.verdict('cf')).toBe('down');
    s.eject('cf', 'readmitted', 0);
    s.run(800);
    expect(s.verdict('cf')).toBe('down');
    s.run(1_300);
    expect(s.verdict('cf')).toBe('up');
    expect(s.of('origin.readmitted')).toHaveLength(1);
  });
});

describe('what moves nothing', () => {
  it('is a platform API that does not answer', () => {
    const s = scenario({ targets: PAIR });
    s.run(3_000);
    const { version } = s.engine.table;
    s.platform('cf').api = 'down';
    s.run(120_000);
    expect(s.engine.table.version).toBe(version);
    expect(s.verdict('cf')).toBe('up');
    expect(s.of('platform.api.down')).toHaveLength(1);
    const evidence = s.engine.verdicts()['shop']?.['cf']?.evidence.join('\n');
    expect(evidence).toContain('platform API does not answer (moves no traffic)');
    s.platform('cf').api = 'ok';
    s.run(2_100);
    expect(s.of('platform.api.up')).toHaveLength(1);
    expect(s.engine.table.version).toBe(version);
  });

  it('is an API that calls everything gone while the path answers', () => {
    const s = scenario({ targets: PAIR });
    s.run(3_000);
    const { version } = s.engine.table;
    s.platform('cf').urls = [];
    s.run(10_000);
    expect(s.engine.table.version).toBe(version);
  });

  it('is an API that died while instances were missing', () => {
    const s = scenario({ targets: PAIR });
    s.platform('cf').running = 1;
    s.run(3_000);
    const before = s.shares();
    s.platform('cf').api = 'down';
    s.run(300_000);
    expect(s.shares()).toEqual(before);
  });
});

describe('everything down', () => {
  it('keeps the last known shares and an old table rather than an empty one', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(2_000);
    s.platform('ocp').path = 'refused';
    s.run(10_000);
    expect(s.verdict('ocp')).toBe('down');
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    expect(s.engine.explain('shop')?.summary).toContain('last known');
  });

  it('is over at once for the first that comes back', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.platform('ocp').path = 'refused';
    s.run(10_000);
    s.platform('cf').path = 'ok';
    s.run(2_100);
    expect(s.shares()).toEqual({ cf: 1, ocp: 0 });
  });
});

describe('capacity', () => {
  const TIERS = [
    { platform: 'cf', tier: 1, capacityRpsPerInstance: 50 },
    { platform: 'ocp', tier: 2, capacityRpsPerInstance: 50 },
  ];

  it('spills to the next tier what the first cannot carry', () => {
    const s = scenario({ targets: TIERS });
    s.run(1_000);
    s.traffic({ cf: 100 });
    s.run(12_000);
    expect(s.shares()).toEqual({ cf: 1, ocp: 0 });
    s.platform('cf').running = 1;
    s.run(2_500);
    // 1.4 × 50 of 100 rps.
    expect(s.shares()).toEqual({ cf: 0.7, ocp: 0.3 });
    expect(s.verdict('cf')).toBe('degraded');
  });

  it('does not publish a table for every breath of the demand', () => {
    const s = scenario({ targets: TIERS });
    s.run(1_000);
    s.traffic({ cf: 200 });
    s.run(15_000);
    const { version } = s.engine.table;
    for (let i = 0; i < 20; i++) {
      s.traffic({ cf: 200 + (i % 3) });
      s.run(1_000);
    }
    expect(s.engine.table.version).toBe(version);
  });

  it('counts a target with half its instances half', () => {
    const s = scenario({ targets: [{ platform: 'cf' }, { platform: 'ocp' }] });
    s.platform('cf').running = 1;
    s.run(3_000);
    expect(s.shares()).toEqual({ cf: 0.333, ocp: 0.667 });
  });
});

describe('a ramp', () => {
  it('is aborted when the returning platform fails more often than the others', () => {
    const s = scenario({ targets: PAIR });
    s.run(1_000);
    s.platform('cf').path = 'refused';
    s.run(3_000);
    s.platform('cf').path = 'ok';
    s.traffic({ ocp: 200 });
    s.run(64_000);
    expect(s.shares()['cf']).toBeGreaterThan(0);
    s.traffic({ ocp: 200, cf: 8 }, { cf: 4 });
    s.run(20_000);
    expect(s.shares()).toEqual({ ocp: 1, cf: 0 });
    expect(
      s.engine
        .explain('shop')
        ?.steps.find(({ stage }) => stage === 'hold-down')
        ?.lines.join(),
    ).toContain('2 failovers within the hour');
  });
});

describe('releases', () => {
  it('keeps out a platform that answers another release, and says which', () => {
    const s = scenario({ targets: PAIR, proven: true });
    s.engine.allowReleases('shop', ['r-0000000001']);
    s.run(2_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
    s.platform('ocp').release = 'r-00000000ff';
    s.run(1_100);
    expect(s.shares()).toEqual({ cf: 1 });
    expect(s.of('decision.made').at(-1)?.reasons).toEqual([
      'ocp not eligible: it answers r-00000000ff, wanted r-0000000001; its 40 % go to cf',
    ]);
  });

  it('rolls over two releases without moving anything', () => {
    const s = scenario({ targets: PAIR, proven: true });
    s.engine.allowReleases('shop', ['r-0000000001']);
    s.run(2_000);
    const settled = s.of('decision.made').length;
    s.engine.allowReleases('shop', ['r-0000000001', 'r-0000000002']);
    s.platform('cf').release = 'r-0000000002';
    s.run(2_000);
    s.platform('ocp').release = 'r-0000000002';
    s.run(1_100);
    s.engine.allowReleases('shop', ['r-0000000002']);
    s.run(5_000);
    expect(s.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
    expect(s.of('decision.made')).toHaveLength(settled);
    expect(s.engine.offers('shop', 'cf', 'r-0000000002')).toBe(true);
  });

  it('makes before it breaks where origins are instances', () => {
    const s = scenario({ targets: [{ platform: 'rack' }], proven: true });
    s.engine.allowReleases('shop', ['r-0000000001']);
    s.platform('rack').pinned = true;
    s.platform('rack').urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
    s.run(3_000);
    s.engine.allowReleases('shop', ['r-0000000001', 'r-0000000002']);
    s.engine.setTargets('shop', [
      {
        platform: 'rack',
        release: 'r-0000000001',
        pinned: true,
        hostHeader: undefined,
        sni: undefined,
        urls: ['http://127.0.0.1:1'],
      },
      {
        platform: 'rack',
        release: 'r-0000000002',
        pinned: true,
        hostHeader: undefined,
        sni: undefined,
        urls: ['http://127.0.0.1:3'],
      },
    ]);
    s.clock.advance(30);
    expect(s.engine.offers('shop', 'rack', 'r-0000000002')).toBe(false);
    s.engine.accept({
      kind: 'probe',
      at: s.clock.now(),
      application: 'shop',
      platform: 'rack',
      origin: 'rack/127.0.0.1:3',
      probe: 'http',
      ok: true,
      detail: 'ok',
      latencyMs: 1,
      release: 'r-0000000002',
    });
    s.clock.advance(30);
    expect(s.engine.offers('shop', 'rack', 'r-0000000002')).toBe(true);
    const version = s.engine.withdrawRelease('shop', 'rack', 'r-0000000001');
    expect(s.engine.table.version).toBe(version);
    expect(s.engine.table.routes[0]?.targets.map((t) => [t.release, t.share])).toEqual([['r-0000000002', 1]]);
  });
});

describe('instances as origins', () => {
  it('keep the platform serving while one of them restarts on its port', () => {
    const s = scenario({ targets: [{ platform: 'rack' }] });
    const rack = s.platform('rack');
    rack.urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
    s.run(3_000);
    rack.broken.add('http://127.0.0.1:1');
    s.run(1_100);
    expect(s.verdict('rack')).toBe('degraded');
    expect(s.engine.table.routes[0]?.targets[0]?.origins.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:2',
    ]);
    rack.broken.clear();
    s.run(2_100);
    expect(s.verdict('rack')).toBe('up');
    expect(s.engine.table.routes[0]?.targets[0]?.origins).toHaveLength(2);
  });
});
