import { describe, expect, it } from '@jest/globals';
import { FLAP_CHECKS, flapOf } from '../../src/lib/flap.ts';
import { sampled } from '../../src/lib/peak-ewma.ts';

describe('flapping', () => {
  it('is 0 when nothing changes and 1 when everything does', () => {
    expect(flapOf(Array(FLAP_CHECKS).fill(true))).toBe(0);
    expect(flapOf(Array.from({ length: FLAP_CHECKS }, (_, i) => i % 2 === 0))).toBeCloseTo(1, 10);
  });

  it('weighs the newest change half as much again as the oldest', () => {
    const oldest = [false, ...Array(FLAP_CHECKS - 1).fill(true)];
    const newest = [...Array(FLAP_CHECKS - 1).fill(true), false];
    expect(flapOf(oldest)).toBeCloseTo(0.8 / 20, 10);
    expect(flapOf(newest)).toBeCloseTo(1.2 / 20, 10);
  });

  it('looks at the last 21 checks only, and takes a short history for a calm one', () => {
    expect(flapOf([...Array(50).fill(false), ...Array(FLAP_CHECKS).fill(true)])).toBe(0);
    expect(flapOf([true, false])).toBeCloseTo(1.2 / 20, 10);
    expect(flapOf([])).toBe(0);
  });
});

describe('peak EWMA', () => {
  it('rises at once and sinks by e to the minus one in ten seconds', () => {
    const first = sampled(undefined, 10, 0);
    const peak = sampled(first, 110, 1_000);
    expect(peak.ms).toBe(110);
    expect(sampled(peak, 10, 11_000).ms).toBeCloseTo(10 + 100 * Math.exp(-1), 6);
  });
});
