import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FailureRate } from '../../src/gateway/failure-rate.ts';

const RULES = { failureRatio: 0.5, minRequests: 20, windowMs: 10_000 };
const SLOT_MS = RULES.windowMs / 10;

describe('the failure rate', () => {
  it('is too high at the ratio, and not before there are enough requests', () => {
    const rate = new FailureRate(RULES);
    for (let i = 0; i < 9; i += 1) {
      rate.success(i);
      expect(rate.failure(i)).toBe(false);
    }
    rate.success(9);
    expect(rate.failure(9)).toBe(true);
  });

  it('takes a ratio at its word, whatever multiplying it makes of it', () => {
    const rate = new FailureRate({ ...RULES, failureRatio: 0.07, minRequests: 100 });
    for (let i = 0; i < 93; i += 1) rate.success(0);
    for (let i = 0; i < 6; i += 1) expect(rate.failure(0)).toBe(false);
    expect(rate.failure(0)).toBe(true);
  });

  it('forgets what is a window old, also after a silence', () => {
    for (const silence of [10_001, 25_000, 3_600_000]) {
      const rate = new FailureRate(RULES);
      for (let i = 0; i < 19; i += 1) rate.failure(0);
      expect(rate.failure(silence)).toBe(false);
    }
  });

  it('counts nothing older than its window, and all that is a slot younger than that', () => {
    const requests = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 3 * SLOT_MS }), fails: fc.boolean() }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(requests, (all) => {
        // Any failure is one too many when there is another beside it and no success: so it tells what it counts.
        const rate = new FailureRate({ ...RULES, failureRatio: 1, minRequests: 2 });
        let now = 0;
        const seen: { readonly at: number; readonly fails: boolean }[] = [];
        for (const { after, fails } of all) {
          now += after;
          if (!fails) rate.success(now);
          seen.push({ at: now, fails });
          if (!fails) continue;
          const within = (ms: number): typeof seen => seen.filter(({ at }) => now - at < ms);
          const certain = within(RULES.windowMs - SLOT_MS);
          const possible = within(RULES.windowMs + 1);
          const tooMany = rate.failure(now);
          if (certain.some((one) => !one.fails)) expect(tooMany).toBe(false);
          else if (certain.length >= 2 && possible.every((one) => one.fails)) expect(tooMany).toBe(true);
          if (possible.length < 2) expect(tooMany).toBe(false);
        }
      }),
    );
  });
});
