import { describe, expect, it } from '@jest/globals';
import { didYouMean, editDistance, remedyFor } from '../../src/config/did-you-mean.ts';

describe('did you mean', () => {
  it.each([
    ['healt', 'health'],
    ['tragets', 'targets'],
    ['Instances', 'instances'],
    ['memroy', 'memory'],
    ['xyz', undefined],
    ['', undefined],
  ])('%j → %j', (written, expected) => {
    expect(didYouMean(written, ['health', 'targets', 'instances', 'memory', 'env'])).toBe(expected);
  });

  it('counts a swap of neighbours once', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('lists what is known when nothing is near', () => {
    expect(remedyFor('zzz', ['b', 'a'])).toBe('known here: a, b');
    expect(remedyFor('zzz', [])).toBe('remove it');
  });
});
