import { describe, expect, it } from '@jest/globals';
import { startOutcome } from '../../src/runner/host/start-outcome.ts';

const one = (id: string, state: 'starting' | 'running' | 'backing-off' | 'crash-loop', reason?: string) => ({
  id,
  state,
  reason,
  restarts: 0,
});

describe('start outcome', () => {
  it('is ready when all wanted are', () => {
    expect(startOutcome([one('a', 'running'), one('b', 'running')], 2, 0, 1_000)).toEqual({
      outcome: 'ready',
    });
    expect(startOutcome([], 0, 0, 1_000)).toEqual({ outcome: 'ready' });
  });

  it('is still starting while a crash is tried again', () => {
    const instances = [one('a', 'running'), one('b', 'backing-off', 'exited with code 1')];
    expect(startOutcome(instances, 2, 999, 1_000)).toEqual({ outcome: 'starting', ready: 1 });
  });

  it('fails at the first crash loop, however many are ready', () => {
    const instances = [one('a', 'running'), one('b', 'crash-loop', 'exited with code 1')];
    expect(startOutcome(instances, 2, 10, 1_000)).toEqual({
      outcome: 'failed',
      reason: 'b crashes again and again: exited with code 1',
      culprit: 'b',
    });
  });

  it('fails when time is over and names who was late', () => {
    const instances = [one('a', 'running'), one('b', 'backing-off', 'exited with code 1')];
    expect(startOutcome(instances, 2, 1_500, 1_500)).toEqual({
      outcome: 'failed',
      reason: '1 of 2 instances ready after 1.5s; b: exited with code 1',
      culprit: 'b',
    });
    expect(startOutcome([], 2, 1_000, 1_000)).toMatchObject({ outcome: 'failed', culprit: undefined });
  });
});
