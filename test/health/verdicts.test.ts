import { describe, expect, it } from '@jest/globals';
import type { InstanceState, Observation } from '../../src/core/provider.ts';
import type { OriginHealth, TargetEvidence, Verdict } from '../../src/core/verdict.ts';
import { newOrigin } from '../../src/health/origin.ts';
import { healthJudge } from '../../src/health/verdicts.ts';

function origins(...states: OriginHealth['state'][]): TargetEvidence['origins'] {
  return states.map((state, index) => ({
    id: `rack/h:${index + 1}`,
    health: { ...newOrigin(0), state, cause: state === 'down' ? '1 probe failed: refused' : state },
  }));
}

function observed(...states: InstanceState[]): Observation {
  return {
    at: 1_000,
    apiLatencyMs: 1,
    exists: true,
    releases: [],
    serving: undefined,
    desired: states.length,
    instances: states.map((state, index) => ({ id: `${index}`, release: undefined, state, routable: null })),
    origins: [],
    env: {},
    foreign: [],
  };
}

function verdict(given: Partial<TargetEvidence>) {
  return healthJudge.judge(
    { origins: [], observation: undefined, apiError: undefined, ...given },
    undefined,
    5_000,
  );
}

describe('the verdict on a target', () => {
  it.each<[string, Partial<TargetEvidence>, string, string]>([
    ['all origins up', { origins: origins('up', 'up') }, 'up', '2 of 2 origins answer'],
    [
      'a new origin beside one that is up',
      { origins: origins('up', 'unknown') },
      'up',
      '1 of 2 origins answer',
    ],
    [
      'some down',
      { origins: origins('up', 'down') },
      'degraded',
      '1 of 2 origins serve; 1 probe failed: refused',
    ],
    ['all down', { origins: origins('down', 'down') }, 'down', '1 probe failed: refused'],
    ['nothing known', { origins: origins('unknown', 'down') }, 'unknown', 'unknown'],
    [
      'instances missing',
      { origins: origins('up'), observation: observed('running', 'crashed') },
      'degraded',
      '1 of 2 instances run',
    ],
    [
      'the first instances starting',
      { origins: origins('down'), observation: observed('starting', 'pending') },
      'starting',
      '2 instances are starting',
    ],
    ['no origin', { observation: observed() }, 'unknown', 'the platform offers no origin'],
    ['nothing at all', {}, 'unknown', 'nothing known of it yet'],
  ])('with %s', (_name, evidence, state, cause) => {
    expect(verdict(evidence)).toMatchObject({ state, cause });
  });

  it('is not down because the API does not answer, and says so as evidence', () => {
    const { state, evidence } = verdict({ origins: origins('up'), apiError: 'connection refused' });
    expect(state).toBe('up');
    expect(evidence.at(-1)).toBe('platform API does not answer (moves no traffic): connection refused');
  });

  it('is not down because the platform says that nothing runs, while the path answers', () => {
    expect(verdict({ origins: origins('up'), observation: observed('crashed', 'crashed') }).state).toBe(
      'degraded',
    );
  });

  it('keeps the moment of its state while only the cause changes', () => {
    const before = { state: 'down' as const, since: 7, cause: 'another', evidence: [] };
    const evidence = { origins: origins('down'), observation: undefined, apiError: undefined };
    expect(healthJudge.judge(evidence, before, 5_000).since).toBe(7);
  });

  it('takes a target that served before for down, not for starting', () => {
    const served = origins('down').map(({ id, health }) => ({ id, health: { ...health, proven: true } }));
    expect(verdict({ origins: served, observation: observed('starting') }).state).toBe('down');
  });
});

describe('a target that serves worse than it should', () => {
  const limits = { p95Ms: 500, errorRatio: 0.05 };
  const calm = { attempts: 100, failed: 0, rps: 10, p95Ms: 80 };

  const NOW = 1_000_000;

  function judged(more: Partial<TargetEvidence>, before?: Verdict, at = NOW): Verdict {
    const origins = [{ id: 'a/1', health: { ...newOrigin(NOW), state: 'up', proven: true } }] as const;
    const none = { observation: undefined, apiError: undefined };
    return healthJudge.judge({ origins, ...none, limits, traffic: calm, ...more }, before, at);
  }

  it.each<[string, Partial<TargetEvidence>, string]>([
    ['it is slow', { traffic: { ...calm, p95Ms: 800 } }, 'p95 800 ms, 500 ms wanted'],
    ['it fails', { traffic: { ...calm, failed: 6 } }, '6 of 100 requests failed in the last 10 s'],
    [
      'its deep probe fails',
      { deep: { ok: false, detail: 'status 503', ageMs: 1, latencyMs: 1 } },
      'its deep probe fails: status 503',
    ],
  ])('is degraded when %s', (_name, more, cause) => {
    expect(judged(more)).toMatchObject({ state: 'degraded', cause, impaired: { since: NOW, cause } });
  });

  it.each<[string, Partial<TargetEvidence>]>([
    ['few requests were seen', { traffic: { ...calm, attempts: 19, failed: 19, p95Ms: 9_000 } }],
    [
      'the policy asks for nothing',
      { limits: { p95Ms: undefined, errorRatio: undefined }, traffic: { ...calm, failed: 50, p95Ms: 9_000 } },
    ],
    ['its deep probe is well', { deep: { ok: true, detail: 'ok', ageMs: 1, latencyMs: 1 } }],
  ])('is up when %s', (_name, more) => {
    const verdict = judged(more);
    expect(verdict.state).toBe('up');
    expect(verdict.impaired).toBeUndefined();
  });

  it('is well again only when it is clearly faster, and has been worse for a while', () => {
    const slow = judged({ traffic: { ...calm, p95Ms: 800 } });
    expect(judged({ traffic: { ...calm, p95Ms: 450 } }, slow, NOW + 40_000).state).toBe('degraded');
    expect(judged({}, slow, NOW + 20_000).state).toBe('degraded');
    expect(judged({}, slow, NOW + 40_000).state).toBe('up');
  });

  it('stays down when it is down, whatever its traffic was', () => {
    const origins = [{ id: 'a/1', health: { ...newOrigin(NOW), state: 'down', proven: true } }] as const;
    expect(judged({ origins, traffic: { ...calm, p95Ms: 800 } }).state).toBe('down');
  });
});
