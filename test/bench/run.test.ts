import { describe, expect, it } from '@jest/globals';
import { rotated } from './run.ts';

describe('the rounds', () => {
  it('begin with another proxy each time', () => {
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual([
      'abc',
      'bca',
      'cab',
      'abc',
    ]);
  });
});
