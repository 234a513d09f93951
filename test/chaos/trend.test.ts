import { describe, expect, it } from '@jest/globals';
import { median, trendOf } from './trend.ts';

const TIGHT = { part: 0.05, absolute: 0 };

describe('a trend', () => {
  it('forgives growth at the beginning', () => {
    const series = [10, 40, 70, 90, 100, 100, 101, 99, 100, 100, 102, 100];
    expect(trendOf(series, TIGHT)).toMatchObject({ middle: 100, isFlat: true });
  });

  it('sees what goes on growing', () => {
    const series = Array.from({ length: 60 }, (_, second) => 100 + second);
    expect(trendOf(series, TIGHT)).toEqual({ middle: 129.5, last: 149.5, isFlat: false });
    expect(trendOf(series, { part: 0.05, absolute: 25 }).isFlat).toBe(true);
  });

  it('is not misled by single peaks, nor by what falls', () => {
    expect(trendOf([100, 100, 100, 100, 100, 100, 100, 900, 100], TIGHT).isFlat).toBe(true);
    expect(trendOf([100, 100, 100, 100, 100, 100, 50, 50, 50], TIGHT).isFlat).toBe(true);
  });

  it('refuses to be read from next to nothing', () => {
    expect(() => trendOf([1, 2], TIGHT)).toThrow(RangeError);
  });

  it('takes the middle of an even number between the two', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([3, 1, 2])).toBe(2);
  });
});
