import { describe, expect, it } from '@jest/globals';
import { conclude, judge } from './judge.ts';

const STEADY = [10, 10.2, 10.1, 9.9, 10];

describe('conclude', () => {
  it('takes five rounds that agree within 10 %', () => {
    expect(conclude(STEADY)).toEqual({ conclusive: true });
  });

  it('refuses fewer rounds, however well they agree', () => {
    expect(conclude([10, 10, 10, 10])).toEqual({ conclusive: false, why: 'fewer than 5 rounds' });
  });

  it('refuses rounds further apart and says how far', () => {
    expect(conclude([10, 10, 10, 10, 12])).toEqual({ conclusive: false, why: 'spread 20 %' });
  });
});

describe('judge', () => {
  const times = (factor: number): number[] => STEADY.map((value) => value * factor);

  it('lets a limit be kept up to the limit itself', () => {
    expect(judge(times(2), STEADY, 2)).toBe('kept');
    expect(judge(times(2.1), STEADY, 2)).toBe('missed');
  });

  it('goes by the median when rounds that agree lie on both sides', () => {
    expect(judge([20.2, 20.1, 19.9, 19.9, 20.3], [10, 10, 10, 10, 10], 2)).toBe('missed');
    expect(judge([19.8, 20.1, 19.9, 19.9, 20.3], [10, 10, 10, 10, 10], 2)).toBe('kept');
  });

  it('is inconclusive when noisy rounds lie on both sides', () => {
    expect(judge([15, 25, 18, 22, 30], [10, 10, 10, 10, 10], 2)).toBe('inconclusive');
  });

  it('does not let noise excuse what every round shows', () => {
    expect(judge([41, 60, 45, 50, 80], [10, 10, 10, 10, 10], 3)).toBe('missed');
    expect(judge([41, 60], [10, 10], 3)).toBe('missed');
  });

  it('believes noisy rounds that all keep the limit', () => {
    expect(judge([10, 15, 12, 9, 20], [10, 10, 10, 10, 10], 3)).toBe('kept');
  });
});
