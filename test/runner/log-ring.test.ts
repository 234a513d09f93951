import { describe, expect, it } from '@jest/globals';
import { logRing } from '../../src/runner/log-ring.ts';

describe('log ring', () => {
  it('keeps the newest, oldest first', () => {
    const ring = logRing<number>(3);
    for (let n = 1; n <= 5; n++) ring.push(n);
    expect(ring.last(10)).toEqual([3, 4, 5]);
    expect(ring.last(2)).toEqual([4, 5]);
    expect(ring.last(0)).toEqual([]);
  });

  it('is in order before and at the moment it is full', () => {
    const ring = logRing<number>(3);
    ring.push(1);
    ring.push(2);
    expect(ring.last(5)).toEqual([1, 2]);
    ring.push(3);
    expect(ring.last(5)).toEqual([1, 2, 3]);
    ring.clear();
    expect(ring.last(5)).toEqual([]);
  });
});
