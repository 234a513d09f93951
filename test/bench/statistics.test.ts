import { describe, expect, it } from '@jest/globals';
import { median, percentile, ratios, spread, summarize } from './statistics.ts';

describe('median', () => {
  it('is the middle value in whatever order they come', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the two in the middle', () => {
    expect(median([10, 1, 2, 4])).toBe(3);
  });

  it('sorts numbers as numbers', () => {
    expect(median([100, 20, 3])).toBe(20);
  });

  it('is no number for no values', () => {
    expect(median([])).toBeNaN();
  });
});

describe('spread', () => {
  it('is the range as a part of the median, the worst round included', () => {
    expect(spread([10, 10, 11, 10, 9])).toBeCloseTo(0.2);
  });

  it('is 0 for one value or equal ones', () => {
    expect(spread([7])).toBe(0);
    expect(spread([7, 7])).toBe(0);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

  it('takes the nearest rank', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([1, 2, 3], 0.5)).toBe(2);
  });

  it('is the only value of one, and no number of none', () => {
    expect(percentile([4], 0.01)).toBe(4);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('ratios', () => {
  it('compare round by round, so that a slow spell that hits both cancels out', () => {
    expect(ratios([10, 20, 30], [5, 10, 15])).toEqual([2, 2, 2]);
  });
});

describe('summarize', () => {
  it('keeps the rounds in their order', () => {
    expect(summarize([3, 1, 2])).toEqual({ median: 2, spread: 1, rounds: [3, 1, 2] });
  });
});
