import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { type ApplicationSettings, DEFAULT_POLICY, type PolicySettings } from '../../src/core/settings.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { APP, application, START, scenario, target } from '../support/scenario.ts';

const PAIR = [{ platform: 'cf' }, { platform: 'ocp' }];
const KINDS = {
  cf: { name: 'cf', provider: 'static', options: {} },
  ocp: { name: 'ocp', provider: 'static', options: {} },
};

function shop(targets: readonly Parameters<typeof target>[0][], more: Partial<ApplicationSettings> = {}) {
  return application(targets.map(target), more);
}

function hosts(table: RoutingTable): readonly string[] {
  return table.routes.map(({ host }) => host);
}

describe('other applications', () => {
  it('keep verdicts and shares of what stays, and route what is new at once', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    s.platform('cf').path = 'refused';
    s.run(5_000);
    expect([s.verdict('cf'), s.verdict('ocp')]).toEqual(['down', 'up']);
    const shares = s.shares();
    const before = s.of('verdict.changed').length;

    const route = { host: 'new.test', path: '/', publicHost: 'map', retry: 'safe' } as const;
    s.engine.reconfigure([shop(PAIR, { routes: [route] })], KINDS);
    expect(hosts(s.engine.table)).toEqual(['new.test']);
    expect([s.verdict('cf'), s.verdict('ocp')]).toEqual(['down', 'up']);
    expect(s.shares()).toEqual(shares);
    expect(s.of('verdict.changed')).toHaveLength(before);
  });

  it('weigh anew, in one table', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    expect(s.shares()).toEqual({ cf: 0.5, ocp: 0.5 });
    s.engine.reconfigure([shop([{ platform: 'cf', weight: 3 }, { platform: 'ocp' }])], KINDS);
    expect(s.shares()).toEqual({ cf: 0.75, ocp: 0.25 });
  });

  it('leave the table when they are gone, and probes end', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    const { version } = s.engine.table;
    s.engine.reconfigure([], KINDS);
    expect(s.engine.table.routes).toEqual([]);
    expect(s.engine.table.version).toBe(version + 1);
    expect(s.engine.watched).toEqual([]);
    expect(s.engine.statusOf(APP)).toBeUndefined();
  });

  it('without one of the platforms send everything to the others', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    s.engine.reconfigure([shop([{ platform: 'ocp' }])], KINDS);
    expect(s.engine.table.routes[0]?.targets.map(({ platform }) => platform)).toEqual(['ocp']);
    s.run(5_000);
    expect(s.shares()).toEqual({ ocp: 1 });
  });

  it('under another provider with the same name begin from nothing there', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    s.engine.reconfigure([shop(PAIR)], {
      ...KINDS,
      cf: { name: 'cf', provider: 'other', options: {} },
    });
    expect([s.verdict('cf'), s.verdict('ocp')]).toEqual(['unknown', 'up']);
  });

  it('see the orders that were given before they came', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    const act: OperatorAct = {
      ...{ id: 'act-1', kind: 'drain', application: undefined, platform: 'cf', who: 'ada', reason: '' },
      ...{ since: START, until: undefined },
    };
    s.engine.order([act]);
    s.engine.reconfigure([shop(PAIR), shop(PAIR, { name: 'blog' })], KINDS);
    for (const name of [APP, 'blog']) {
      expect(s.engine.explain(name)?.steps.find(({ stage }) => stage === 'acts')?.lines).toEqual([
        'drain cf: ordered by ada',
      ]);
    }
  });
});

describe('a rehearsal', () => {
  it('changes nothing', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    const { table, watched } = s.engine;
    const seen = s.events.length;
    s.engine.rehearse([shop([{ platform: 'cf', weight: 3 }])], KINDS);
    expect(s.engine.table).toBe(table);
    expect(s.engine.watched).toBe(watched);
    expect(s.events).toHaveLength(seen);
    expect(s.shares()).toEqual({ cf: 0.5, ocp: 0.5 });
  });

  it('throws what the policy throws', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    const engine = createEngine({
      applications: [shop(PAIR)],
      platforms: KINDS,
      clock: s.clock,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      events: { append: (event) => ({ ...event, seq: 1, at: 0 }), since: () => [], onEvent: () => () => {} },
      decide(policy, facts, state, now) {
        if (policy.name === 'broken') throw new Error('cannot decide');
        return decide(policy, facts, state, now);
      },
      judge: healthJudge,
    });
    const broken = shop(PAIR, { policy: { ...shop(PAIR).policy, name: 'broken' } });
    expect(() => engine.rehearse([broken], KINDS)).toThrow('cannot decide');
    expect(() => engine.rehearse([shop(PAIR)], KINDS)).not.toThrow();
  });
});

describe('sessions', () => {
  const sticky = {
    routes: [{ host: '*', path: '/', publicHost: 'rewrite', retry: 'safe', affinity: true }],
  } satisfies Partial<ApplicationSettings>;

  function staying(table: RoutingTable): Readonly<Record<string, string>> {
    const kept = (table.routes[0]?.targets ?? []).filter(({ keepsSessions }) => keepsSessions === true);
    return Object.fromEntries(kept.map(({ platform, state }) => [platform, state]));
  }

  function order(kind: OperatorAct['kind'], since: number): OperatorAct {
    return {
      ...{ id: `act-${kind}`, kind, application: undefined, platform: 'cf', who: 'ada', reason: '' },
      ...{ since, until: undefined },
    };
  }

  function stickyScenario(policy: PolicySettings = DEFAULT_POLICY) {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.engine.reconfigure([shop(PAIR, { ...sticky, policy })], KINDS);
    s.run(5_000);
    return s;
  }

  it('stay wherever a target serves; without affinity nobody asks', () => {
    const s = scenario({ targets: PAIR, provider: 'static' });
    s.run(5_000);
    expect(staying(s.engine.table)).toEqual({});
    s.engine.reconfigure([shop(PAIR, sticky)], KINDS);
    expect(staying(s.engine.table)).toEqual({ cf: 'active', ocp: 'active' });
    expect(s.engine.table.routes[0]?.affinity).toBe(true);
  });

  it('leave a platform that is down', () => {
    const s = stickyScenario();
    s.platform('cf').path = 'refused';
    s.run(5_000);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
  });

  it('stay on a drained platform until their deadline, and no longer', () => {
    const s = stickyScenario();
    s.engine.order([order('drain', s.clock.now())]);
    s.run(1_000);
    expect(s.shares()).toEqual({ cf: 0, ocp: 1 });
    expect(staying(s.engine.table)).toEqual({ cf: 'draining', ocp: 'active' });
    s.run(600_000);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
  });

  it('stay in maintenance as in a drain', () => {
    let isOpen = false;
    const window = { text: 'nightly', isOpen: () => isOpen, opensNext: () => undefined };
    const policy: PolicySettings = { ...DEFAULT_POLICY, maintenance: [{ platform: 'cf', window }] };
    const s = stickyScenario(policy);
    isOpen = true;
    s.run(1_000);
    expect(s.shares()).toEqual({ cf: 0, ocp: 1 });
    expect(staying(s.engine.table)).toEqual({ cf: 'draining', ocp: 'active' });
    s.run(600_000);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
  });

  it('stay as long in a drain as the policy says', () => {
    const s = stickyScenario({ ...DEFAULT_POLICY, stickiness: { drainMs: 0, breakOn: [] } });
    s.engine.order([order('drain', s.clock.now())]);
    s.run(1_000);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
  });

  it.each([
    [[], { cf: 'active', ocp: 'spare' }],
    [['moved'], { cf: 'active' }],
  ] as const)('with breakOn %j, where there is no share: %j', (breakOn, expected) => {
    const policy: PolicySettings = {
      ...DEFAULT_POLICY,
      strategy: 'primary',
      primary: { order: ['cf', 'ocp'], switch: 'best' },
      stickiness: { drainMs: 600_000, breakOn },
    };
    const s = stickyScenario(policy);
    expect(s.shares()).toEqual({ cf: 1, ocp: 0 });
    expect(staying(s.engine.table)).toEqual(expected);
  });

  it('leave a degraded platform where the policy says so, which takes new ones all the same', () => {
    const s = stickyScenario({ ...DEFAULT_POLICY, stickiness: { drainMs: 600_000, breakOn: ['degraded'] } });
    s.platform('cf').running = 1;
    s.run(5_000);
    expect(s.verdict('cf')).toBe('degraded');
    expect(s.shares()['cf']).toBeGreaterThan(0);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
    const moving = s.engine.table.routes[0]?.targets.filter(({ movesSessions }) => movesSessions === true);
    expect(moving?.map(({ platform }) => platform)).toEqual(['cf']);
  });

  it('leave a fenced platform at once', () => {
    const s = stickyScenario();
    s.engine.order([order('fence', s.clock.now())]);
    s.run(1_000);
    expect(staying(s.engine.table)).toEqual({ ocp: 'active' });
  });
});
