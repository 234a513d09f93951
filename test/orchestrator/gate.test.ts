import { describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY, type DeploySettings } from '../../src/core/deploy-settings.ts';
import type { ReleaseOutcome } from '../../src/core/traffic.ts';
import { isClearlyWorse, judgeStep } from '../../src/orchestrator/gate.ts';

const CANARY: DeploySettings = { ...DEFAULT_DEPLOY, strategy: 'canary', steps: [0.05], everyMs: 10_000 };

function outcome(more: Partial<ReleaseOutcome>): ReleaseOutcome {
  return {
    platform: 'cf',
    release: 'r-1',
    trial: false,
    requests: 1_000,
    failed: 0,
    p50Ms: 5,
    p95Ms: 10,
    ...more,
  };
}

function judged(
  outcomes: readonly ReleaseOutcome[],
  watchedMs = 10_000,
  before: readonly ReleaseOutcome[] = [],
) {
  return judgeStep({ outcomes, before, watchedMs }, CANARY);
}

const old = outcome({});
const trial = (more: Partial<ReleaseOutcome>) =>
  outcome({ trial: true, release: 'r-2', requests: 200, ...more });

describe('the gate of a step', () => {
  it('passes a release that is as good as the old one, after its time and its requests', () => {
    expect(judged([old, trial({})]).state).toBe('passed');
    expect(judged([old, trial({})], 9_000)).toEqual({
      state: 'watching',
      message: expect.stringContaining('1 s to go'),
    });
    expect(judged([old, trial({ requests: 99 })])).toEqual({
      state: 'watching',
      message: expect.stringContaining('1 requests to go'),
    });
  });

  it('does not pass what nobody has met', () => {
    expect(judged([old], 3_600_000).state).toBe('watching');
    expect(judged([], 3_600_000).state).toBe('watching');
  });

  it('stops a clearly bad release at once, long before its time', () => {
    expect(judged([old, trial({ requests: 5, failed: 5 })], 100).state).toBe('failed');
    expect(judged([old, trial({ requests: 200, failed: 10 })], 100)).toEqual({
      state: 'failed',
      message: 'cf: 5% of 200 requests failed (old release 0%, at most 1% more)',
    });
  });

  it('does not stop a release for one or two failures, nor for those that the old one has too', () => {
    expect(judged([old, trial({ requests: 20, failed: 2 })], 100).state).toBe('watching');
    expect(judged([outcome({ failed: 50 }), trial({ failed: 10 })]).state).toBe('passed');
  });

  it('sees a platform on which it is bad although it is good on all others', () => {
    const good = ['a', 'b', 'c'].flatMap((platform) => [
      outcome({ platform }),
      trial({ platform, requests: 5_000 }),
    ]);
    const verdict = judged([...good, old, trial({ requests: 100, failed: 8 })], 100);
    expect(verdict).toMatchObject({ state: 'failed', message: expect.stringMatching(/^cf: 8% of 100/) });
  });

  it('keeps watching what is worse than allowed and may be chance', () => {
    expect(judged([old, trial({ requests: 100, failed: 2 })])).toEqual({
      state: 'watching',
      message: expect.stringContaining('too close to call'),
    });
  });

  it('compares latency with the old release on the same platform', () => {
    expect(judged([old, trial({ p95Ms: 36 })])).toMatchObject({
      state: 'failed',
      message: 'cf: p95 36 ms (old release 10 ms, at most × 1.5)',
    });
    const far = [outcome({ platform: 'ocp', p95Ms: 200 }), trial({ platform: 'ocp', p95Ms: 210 })];
    expect(judged([old, trial({}), ...far]).state).toBe('passed');
    expect(judged([old, trial({ p95Ms: 200 })], 100).state).toBe('failed');
  });

  it('does not take the p95 of a handful for a fact', () => {
    const few = { ...CANARY, minRequests: 10 };
    const sight = { outcomes: [old, trial({ requests: 20, p95Ms: 500 })], before: [], watchedMs: 10_000 };
    expect(judgeStep(sight, few).state).toBe('passed');
  });

  it('compares with what the old release did before, when all traffic goes to the new one', () => {
    const before = [outcome({ p95Ms: 10 })];
    expect(judged([trial({ p95Ms: 12 })], 10_000, before).state).toBe('passed');
    expect(judged([trial({ p95Ms: 40 })], 10_000, before).state).toBe('failed');
    expect(judged([trial({ failed: 20 })], 100, before).state).toBe('failed');
  });

  it('is wrong about an equal release in few of very many looks', () => {
    // Both fail 2 % of the time; looked at after every request, as an impatient watcher would.
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    let stopped = 0;
    for (let run = 0; run < 200; run += 1) {
      let failed = 0;
      for (let requests = 1; requests <= 500; requests += 1) {
        if (random() < 0.02) failed += 1;
        if (isClearlyWorse({ requests, failed }, { requests: 5_000, failed: 100 }, 0.01)) {
          stopped += 1;
          break;
        }
      }
    }
    expect(stopped).toBeLessThanOrEqual(6);
  });
});
