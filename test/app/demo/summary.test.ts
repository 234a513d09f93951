import { describe, expect, it } from '@jest/globals';
import type { Sample } from '../../../src/app/demo/load.ts';
import { isGood, seenBetween, summarise } from '../../../src/app/demo/summary.ts';

function sample(given: Partial<Sample>): Sample {
  return { sentAt: 0, safe: true, ms: 10, ok: true, platform: 'cf', why: undefined, ...given };
}

const SAMPLES = [
  sample({}),
  sample({ platform: 'rack', ms: 99.6, sentAt: 50 }),
  sample({ ok: false, platform: undefined, sentAt: 50, why: 'status 502' }),
  sample({ safe: false }),
  sample({ safe: false, ok: false, platform: undefined, ms: 5_000, sentAt: 50 }),
];

describe('the summary of the demo', () => {
  it('counts safe and unsafe requests apart', () => {
    expect(summarise(SAMPLES, 2, [], { cf: 1.5, wall: 2 })).toEqual({
      type: 'summary',
      requests: 5,
      failed: 1,
      unsafe: { sent: 2, failed: 1, twice: 2 },
      byPlatform: { cf: 2, rack: 1 },
      outages: [],
      deploy: { cf: 1.5, wall: 2 },
    });
  });

  it('is good only when no safe request failed and nothing was executed twice', () => {
    const safe = SAMPLES.filter((one) => one.ok || !one.safe);
    expect(isGood(summarise(safe, 0, [], {}))).toBe(true);
    expect(isGood(summarise(safe, 1, [], {}))).toBe(false);
    expect(isGood(summarise(SAMPLES, 0, [], {}))).toBe(false);
  });

  it('looks at the safe requests sent within an outage', () => {
    expect(seenBetween(SAMPLES, { from: 40, to: 60 })).toEqual({ failed: 1, slowestMs: 100 });
    expect(seenBetween(SAMPLES, { from: 60, to: 70 })).toEqual({ failed: 0, slowestMs: 0 });
  });
});
