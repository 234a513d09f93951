import { describe, expect, it } from '@jest/globals';
import { remembered } from '../../src/lib/remembered.ts';

describe('a function that remembers', () => {
  it('is asked once for each text, as long as it has room, and every time for a long one', () => {
    const asked: string[] = [];
    const length = remembered(
      (text) => {
        asked.push(text);
        return text.length > 1;
      },
      { most: 2, longest: 3 },
    );
    expect(['a', 'a', 'bb', 'a', 'long', 'long'].map(length)).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(asked).toEqual(['a', 'bb', 'long', 'long']);
    length('c');
    length('a');
    expect(asked.slice(4)).toEqual(['c', 'a']);
  });
});
