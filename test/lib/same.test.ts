import { describe, expect, it } from '@jest/globals';
import { isSame } from '../../src/lib/same.ts';

describe('being the same', () => {
  it.each<[unknown, unknown]>([
    [1, 1],
    [null, null],
    [undefined, undefined],
    [
      { a: [1, { b: 'x' }], c: undefined },
      { c: undefined, a: [1, { b: 'x' }] },
    ],
    [[], []],
  ])('holds for %j and %j', (a, b) => {
    expect(isSame(a, b)).toBe(true);
  });

  it.each<[unknown, unknown]>([
    [1, '1'],
    [null, undefined],
    [null, {}],
    [{}, []],
    [[], {}],
    [[1], [1, 2]],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }],
  ])('does not hold for %j and %j', (a, b) => {
    expect(isSame(a, b)).toBe(false);
    expect(isSame(b, a)).toBe(false);
  });
});
