import { describe, expect, it } from '@jest/globals';
import type { Facts, ProbeFact, TargetFacts, TargetSignals } from '../../src/core/facts.ts';
import { attribute } from '../../src/health/attribution.ts';
import { factsOf, targetFacts } from '../support/facts.ts';

const NOW = 10_000_000;

function probe(detail: string, ageMs = 500): ProbeFact {
  return { ok: detail === 'ok', detail, ageMs, latencyMs: 1 };
}

const API_UP = {
  apiReachable: true,
  desired: 2,
  running: 2,
  routable: 2,
  phase: 'running',
  ageMs: 100,
} as const;
const API_DOWN = { ...API_UP, apiReachable: false, apiError: 'no answer within 10 s' } as const;

function target(platform: string, signals: TargetSignals, more: Partial<TargetFacts> = {}): TargetFacts {
  const healthy: TargetSignals = {
    http: probe('ok'),
    tcp: probe('ok'),
    control: probe('ok'),
    platform: API_UP,
  };
  const state = signals.http?.ok === false ? 'down' : 'up';
  return targetFacts({ platform, state, signals: { ...healthy, ...signals }, ...more });
}

function culprits(targets: readonly TargetFacts[], given: Partial<Facts> = {}): string[] {
  return attribute(factsOf(targets, given), [], NOW).map(
    ({ culprit, platforms }) => `${culprit} ${platforms.join(',')}`,
  );
}

const B = target('b', {});

describe('attribution', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(culprits([target('a', {}), B])).toEqual([]);
  });

  it('blames nobody for a cold standby that sleeps or wakes up', () => {
    const signals = { http: probe('status 503') };
    const failing = target('a', { http: probe('status 500') });
    const asleep = target('b', signals, { standby: 'cold', asleep: { instances: 1 } });
    const verdict = { state: 'starting', since: 0, cause: 'starting', evidence: [] } as const;
    const waking = target('b', signals, { standby: 'cold', verdict });
    for (const cold of [asleep, waking])
      expect(culprits([failing, cold])).toEqual(['application-on-platform a']);
  });

  it.each<[string, TargetSignals, string]>([
    ['the application answers 500', { http: probe('status 500') }, 'application-on-platform a'],
    [
      'the application hangs behind a router that answers',
      { http: probe('timeout') },
      'application-on-platform a',
    ],
    ['no instance is behind the router', { http: probe('router no_endpoints') }, 'application-on-platform a'],
    ['Cloud Foundry does not know the route', { http: probe('router unknown_route') }, 'route a'],
    [
      'Cloud Foundry has forgotten the route of an application without instances',
      { http: probe('router unknown_route'), platform: { ...API_UP, running: 0, routable: 0 } },
      'application-on-platform a',
    ],
    ['OpenShift shows its page while instances are routable', { http: probe('router 503') }, 'route a'],
    [
      'OpenShift shows its page while none is routable',
      { http: probe('router 503'), platform: { ...API_UP, running: 0, routable: 0 } },
      'application-on-platform a',
    ],
    [
      'the router refuses',
      { http: probe('refused'), tcp: probe('refused'), control: probe('refused') },
      'router a',
    ],
    ['the router is frozen', { http: probe('timeout'), control: probe('timeout') }, 'router a'],
    ['the certificate is wrong', { http: probe('tls') }, 'router a'],
    [
      'nothing answers there',
      { http: probe('timeout'), tcp: probe('timeout'), control: probe('timeout') },
      'network a',
    ],
    ['the name is not found', { http: probe('name not found') }, 'dns a'],
    ['only the API is down', { platform: API_DOWN }, 'platform-api a'],
  ])('when %s', (_when, signals, expected) => {
    expect(culprits([target('a', signals), B])).toEqual([expected]);
  });

  it('sees the application behind failing requests that probes miss', () => {
    const traffic = { attempts: 40, failed: 30, rps: 4, p95Ms: 9 };
    expect(culprits([target('a', {}, { traffic }), B])).toEqual(['application-on-platform a']);
  });

  it('believes no old probe', () => {
    expect(culprits([target('a', { http: probe('refused', 60_000) }), B])).toEqual([]);
  });

  const bad = { http: probe('status 500') };

  it('suspects the release when every platform fails alike soon after one', () => {
    const targets = [target('a', bad), target('b', bad)];
    const [found] = attribute(factsOf(targets, { releasedAt: NOW - 60_000 }), [], NOW);
    expect(found).toMatchObject({ culprit: 'release', remedy: 'rollback', platforms: ['a', 'b'] });
    expect(found?.evidence).toEqual(['a: its health path: status 500', 'b: its health path: status 500']);
  });

  it('suspects what they share when nothing was released', () => {
    expect(culprits([target('a', bad), target('b', bad)])).toEqual(['shared-dependency a,b']);
  });

  it('suspects ourselves when nothing outside answers', () => {
    const cut = { http: probe('timeout'), tcp: probe('timeout'), control: probe('timeout') };
    const self = { egress: 'failing', late: false, state: 'ok' } as const;
    expect(culprits([target('a', cut), target('b', cut)], { self })).toEqual(['ourselves a,b']);
  });

  it('suspects ourselves when every path and every API falls silent', () => {
    const cut = {
      http: probe('timeout'),
      tcp: probe('timeout'),
      control: probe('timeout'),
      platform: API_DOWN,
    };
    expect(culprits([target('a', cut), target('b', cut)])).toEqual([
      'platform-api a',
      'platform-api b',
      'ourselves a,b',
    ]);
  });

  it('remembers since when', () => {
    const facts = factsOf([target('a', bad), B]);
    const first = attribute(facts, [], NOW);
    expect(attribute(facts, first, NOW + 5_000)[0]?.since).toBe(NOW);
  });
});

describe('a fault that has just begun', () => {
  const fell = { state: 'down', since: NOW - 500, cause: 'refused', evidence: [] } as const;

  it('is nobody’s until the port and the router were asked after it', () => {
    const before = { http: probe('refused', 400), tcp: probe('ok', 900), control: probe('ok', 900) };
    expect(culprits([target('a', before, { verdict: fell }), B])).toEqual([]);
    const after = { ...before, tcp: probe('refused', 100), control: probe('refused', 100) };
    expect(culprits([target('a', after, { verdict: fell }), B])).toEqual(['router a']);
  });

  it('stays whose it was found to be before the fall, until there is something better to say', () => {
    const first = attribute(factsOf([target('a', { http: probe('status 500') }), B]), [], NOW - 1_000);
    const fallen = { http: probe('timeout', 100), tcp: probe('ok', 900), control: probe('ok', 900) };
    const facts = factsOf([target('a', fallen, { verdict: fell }), B]);
    expect(attribute(facts, first, NOW)).toEqual(first);
  });

  it('is told by what is known when the answers take too long', () => {
    const verdict = { ...fell, since: NOW - 3_000 };
    const stale = { http: probe('refused', 400), tcp: probe('ok', 4_000), control: probe('ok', 4_000) };
    expect(culprits([target('a', stale, { verdict }), B])).toEqual(['application-on-platform a']);
  });

  it('is none as long as the target still counts as up', () => {
    const verdict = { state: 'up', since: 0, cause: 'its origin answers', evidence: [] } as const;
    expect(culprits([target('a', { http: probe('timeout') }, { verdict }), B])).toEqual([]);
  });
});

describe('an API that answers and does not serve us', () => {
  it.each([
    ['auth', 'the API of a refuses our credentials; its traffic stays'],
    ['rateLimited', 'the API of a asks us to slow down; its traffic stays'],
    ['unavailable', 'the API of a is down; its traffic stays'],
  ] as const)('is told apart: %s', (apiFault, summary) => {
    const [found] = attribute(factsOf([target('a', { platform: { ...API_DOWN, apiFault } }), B]), [], NOW);
    expect(found).toMatchObject({ culprit: 'platform-api', summary, remedy: 'freeze-deployments' });
  });
});
