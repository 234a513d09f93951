import { describe, expect, it } from '@jest/globals';
import type { InstanceState, Observation } from '../../src/core/provider.ts';
import type { OriginHealth, TargetEvidence } from '../../src/core/verdict.ts';
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
