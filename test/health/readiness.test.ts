import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../src/core/decision.ts';
import type { DrillStanding } from '../../src/core/drill.ts';
import type { Facts, TargetFacts, TargetSignals } from '../../src/core/facts.ts';
import type { ReadinessCheck } from '../../src/core/readiness.ts';
import { readinessOf } from '../../src/health/readiness.ts';
import { factsOf, targetFacts } from '../support/facts.ts';

const API: NonNullable<TargetSignals['platform']> = {
  apiReachable: true,
  desired: 2,
  running: 2,
  routable: 2,
  phase: 'running',
  ageMs: 100,
};
const DECISION: Decision = {
  application: 'shop',
  at: 0,
  shares: { a: 1 },
  targets: {},
  mode: 'normal',
  coverage: { a: 1 },
  summary: '',
  reasons: [],
  proof: () => [],
};

function check(
  name: ReadinessCheck['name'],
  given: {
    target?: Partial<TargetFacts>;
    signals?: TargetSignals;
    facts?: Partial<Facts>;
    decision?: Partial<Decision>;
  } = {},
): string {
  const signals = { platform: API, tls: { ok: true, daysToExpiry: 60, ageMs: 1 }, ...given.signals };
  const facts = factsOf([targetFacts({ platform: 'a', signals, ...given.target })], given.facts);
  const found = readinessOf(facts, { ...DECISION, ...given.decision })['a'] ?? [];
  const one = found.find((candidate) => candidate.name === name);
  return `${one?.state}: ${one?.detail}`;
}

describe('standby readiness', () => {
  it.each<[NonNullable<NonNullable<TargetSignals['platform']>['credentials']>, string]>([
    [{ renewal: 'none' }, 'ok: its API answers and knows us'],
    [{ renewal: 'none', hoursLeft: 30 }, 'ok: its API answers and knows us; our token holds for 1d6h'],
    [{ renewal: 'none', hoursLeft: 1.5 }, 'failed: our token ends in 1h30m and nobody renews it'],
    [
      { renewal: 'ok', hoursLeft: 0.2 },
      'ok: its API answers and knows us; our token is renewed ahead of its end',
    ],
    [
      { renewal: 'failing', hoursLeft: 0.5, why: 'no right' },
      'failed: our token ends in 30m and cannot be renewed: no right',
    ],
  ])('asks how long the credentials hold: %j', (credentials, expected) => {
    expect(check('credentials', { signals: { platform: { ...API, credentials } } })).toBe(expected);
  });

  it.each([
    [undefined, 'failed: its API does not answer: nothing can be started there'],
    ['auth', 'failed: its API refuses our credentials'],
    ['forbidden', 'failed: its API knows us and does not let us in'],
    ['rateLimited', 'unknown: its API asks us to slow down'],
  ] as const)('asks whether the credentials hold: %s', (apiFault, expected) => {
    const platform = { ...API, apiReachable: false, ...(apiFault === undefined ? {} : { apiFault }) };
    expect(check('credentials', { signals: { platform } })).toBe(expected);
    expect(check('credentials')).toBe('ok: its API answers and knows us');
  });

  it.each<[string, number | undefined, Partial<TargetFacts>, number, string]>([
    ['nothing runs there that could be counted', undefined, {}, 100, 'ok: nothing is started there'],
    [
      'those that run carry all',
      undefined,
      { instances: { running: 4, desired: 4, max: 8 }, rpsPerInstance: 50 },
      100,
      'ok: 4 instances run, no more are needed',
    ],
    [
      'there is room',
      4,
      { instances: { running: 2, desired: 2, max: 8 }, rpsPerInstance: 25 },
      100,
      'ok: a failover needs 2 more instances, its quota has room for 4',
    ],
    [
      'there is none',
      1,
      { instances: { running: 2, desired: 2, max: 8 }, rpsPerInstance: 25 },
      100,
      'failed: a failover needs 2 more instances, its quota has room for 1',
    ],
    [
      'the platform does not say',
      undefined,
      { instances: { running: 0, desired: 2, max: 8 } },
      0,
      'unknown: a failover needs 2 more instances: its API does not say how many its quota allows',
    ],
  ])('asks for room for what a failover brings: %s', (_name, quotaHeadroom, target, demandRps, expected) => {
    const platform = { ...API, ...(quotaHeadroom === undefined ? {} : { quotaHeadroom }) };
    expect(check('quota', { target, signals: { platform }, facts: { demandRps } })).toBe(expected);
  });

  it('never asks for more instances than scaling may make', () => {
    const target = { instances: { running: 2, desired: 2, max: 3 }, rpsPerInstance: 10 };
    const given = {
      target,
      signals: { platform: { ...API, quotaHeadroom: 1 } },
      facts: { demandRps: 1_000 },
    };
    expect(check('quota', given)).toBe('ok: a failover needs 1 more instance, its quota has room for 1');
  });

  it.each<[string, Partial<TargetFacts>, string]>([
    ['staged', { releases: ['r-2'] }, 'ok: r-2 is there'],
    [
      'answering',
      { origins: [{ id: 'a/1', state: 'up', declared: undefined, answered: ['r-2'] }] },
      'ok: r-2 is there',
    ],
    ['another one', { releases: ['r-1'] }, 'failed: r-2 is not there'],
    ['not asked of it', { releaseMatters: false }, 'ok: it runs what it runs'],
  ])('asks for the release: %s', (_name, target, expected) => {
    expect(check('release', { target, facts: { allowedReleases: ['r-2'] } })).toBe(expected);
  });

  it.each([
    [60, 'ok: its certificate holds for 60 days'],
    [7, 'failed: its certificate expires in 7 days'],
    [1, 'failed: its certificate expires in 1 day'],
    [-1, 'failed: its certificate has expired'],
    [undefined, 'unknown: no certificate was shown'],
  ])('asks how long the certificate holds: %s', (daysToExpiry, expected) => {
    expect(check('certificate', { signals: { tls: { ok: true, daysToExpiry, ageMs: 1 } } })).toBe(expected);
  });

  it.each<[string, Partial<Decision>, string]>([
    ['in full', {}, 'ok: the others carry all if it dies'],
    ['in part', { coverage: { a: 0.629 } }, 'failed: if it dies the others carry 62 % of the demand'],
    [
      'when it has nothing',
      { coverage: { a: 0 }, shares: { b: 1 } },
      'ok: it has nothing that others would have to carry',
    ],
  ])('asks whether the others would carry it: %s', (_name, decision, expected) => {
    expect(check('coverage', { decision })).toBe(expected);
  });

  it('asks whether services hand out what those of the others do, where they are compared', () => {
    const secrets = (faults: readonly string[] | undefined, ageMs = 1_000) =>
      check('secrets', { signals: { services: { faults, ageMs } } });
    expect(check('secrets')).toBe('undefined: undefined');
    expect(secrets([])).toBe('ok: its services hand out what those of the others do');
    expect(secrets(['DB_URL is another than on cf'])).toBe('failed: DB_URL is another than on cf');
    expect(secrets(undefined)).toBe('unknown: what its services hand out could not be read');
    expect(secrets([], 11 * 60_000)).toBe('undefined: undefined');
  });

  describe('asks what drills have shown', () => {
    const DAY = 86_400_000;
    function drilled(standing: DrillStanding | undefined): string {
      const facts = factsOf([targetFacts({ platform: 'a' })]);
      const found = readinessOf(facts, { ...DECISION, at: 40 * DAY }, () => standing)['a'] ?? [];
      const one = found.find(({ name }) => name === 'drill');
      return `${one?.state}: ${one?.detail}`;
    }
    const failed = { id: 'drill-1', at: 38 * DAY, outcome: 'failed' } as const;

    it.each<[string, DrillStanding | undefined]>([
      ['unknown: no drill has shown it yet', undefined],
      ['unknown: no drill has shown it yet', { proven: false }],
      ['ok: a drill passed 3 days ago', { proven: true, passedAt: 37 * DAY }],
      ['unknown: a drill passed 40 days ago: too long to rely on it', { proven: false, passedAt: 0 }],
      ['failed: its last drill failed 2 days ago, see sluice drills', { proven: false, last: failed }],
      ['ok: a drill passed 1 day ago', { proven: true, passedAt: 39 * DAY, last: failed }],
    ])('%s', (expected, standing) => {
      expect(drilled(standing)).toBe(expected);
    });
  });
});
