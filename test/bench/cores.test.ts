import { describe, expect, it } from '@jest/globals';
import { assignCores, parseCoreList } from './cores.ts';

describe('cores', () => {
  it.each([
    ['0-1', [0, 1]],
    ['3', [3]],
    ['0-2,5,7-8\n', [0, 1, 2, 5, 7, 8]],
    ['', []],
  ])('are read from %j', (text, cores) => {
    expect(parseCoreList(text)).toEqual(cores);
  });

  it('keep proxy and load apart, and the origin too where there are three', () => {
    expect(assignCores([2, 5])).toEqual({ proxy: 2, load: 5, origin: 5 });
    expect(assignCores([0, 1, 2, 3])).toEqual({ proxy: 0, load: 1, origin: 2 });
    expect(assignCores([0])).toBeUndefined();
  });
});
