import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecentLatency } from '../../src/gateway/latency.ts';
import { Histogram } from '../../src/lib/histogram.ts';

describe('the latency histogram', () => {
  it('gives a quantile within an eighth above the true one, or a quarter of a millisecond', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (samples) => {
          const histogram = new Histogram();
          for (const sample of samples) histogram.add(sample);
          const sorted = [...samples].sort((a, b) => a - b);
          for (const part of [0.5, 0.95, 0.99]) {
            const exact = sorted[Math.max(1, Math.ceil(part * samples.length)) - 1]!;
            const estimate = histogram.quantile(part);
            expect(estimate).toBeGreaterThanOrEqual(exact);
            expect(estimate).toBeLessThanOrEqual(Math.max(exact + 0.25, exact * 1.25));
          }
        },
      ),
    );
  });

  it('is 0 without samples', () => {
    expect(new Histogram().quantile(0.99)).toBe(0);
  });

  it('is the same again after it was told in pairs, added to another one', () => {
    const [one, other, all] = [new Histogram(), new Histogram(), new Histogram()];
    for (const ms of [0, 1, 5, 5, 70, 900]) {
      (ms > 4 ? one : other).add(ms);
      all.add(ms);
    }
    other.addPairs(one.pairs());
    expect([other.total, other.pairs()]).toEqual([all.total, all.pairs()]);
    expect(other.quantile(0.95)).toBe(all.quantile(0.95));
  });

  it('forgets what is older than two spans', () => {
    const recent = new RecentLatency(1_000);
    recent.add(500, 0);
    expect(recent.quantiles(500).p99Ms).toBeGreaterThan(400);
    expect(recent.quantiles(1_500).p99Ms).toBeGreaterThan(400);
    recent.add(1, 1_600);
    expect(recent.quantiles(2_700).p99Ms).toBeLessThan(2);
    expect(recent.quantiles(9_000).p99Ms).toBe(0);
  });
});
