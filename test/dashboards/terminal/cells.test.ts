import { describe, expect, it } from '@jest/globals';
import {
  cleanText,
  fit,
  fitLine,
  plainText,
  span,
  wrap,
  wrapAtMost,
} from '../../../dashboards/terminal/cells.ts';

describe('text from elsewhere', () => {
  it('loses control sequences and control characters', () => {
    expect(cleanText('\u001b[31mred\u001b[0m\u0007 and\na tab\there\u009b2J', true)).not.toMatch(/\p{Cc}/u);
    expect(cleanText('\u001b[31mred\u001b[0m\nnext', true)).toBe('red next');
  });

  it('is one cell a character: wide ones become a question mark, zero-width ones go', () => {
    expect(cleanText('商店 🚀 e\u0301 ⌚', true)).toBe('?? ? e ?');
    expect(cleanText('zero\u200bwidth', true)).toBe('zerowidth');
  });

  it('is ASCII where the locale is', () => {
    expect(cleanText('cf 40 % → 0 % — gone… ✂ é', false)).toBe('cf 40 % -> 0 % - gone... x ?');
  });
});

describe('fitting', () => {
  it('fills and cuts to exactly the width', () => {
    expect(fit('ab', 4, '…')).toBe('ab  ');
    expect(fit('ab', 4, '…', 'right')).toBe('  ab');
    expect(fit('abcdef', 4, '…')).toBe('abc…');
    expect(fit('abcdef', 0, '…')).toBe('');
  });

  it('cuts a line at the edge and runs a tone through to it', () => {
    expect(plainText(fitLine([span('abc'), span('def')], 4))).toBe('abcd');
    expect(fitLine([span('ab', 'title')], 4, 'title')).toEqual([span('ab', 'title'), span('  ', 'title')]);
  });

  it('wraps at words, and inside words that are too long', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('one two three', 8, 2)).toEqual(['one two', '  three']);
    expect(wrap('abcdefghijkl', 5)).toEqual(['abcde', 'fghij', 'kl']);
    expect(wrap('', 5)).toEqual(['']);
  });

  it('marks what it left out', () => {
    expect(wrapAtMost(2, '…', 'one two three four', 8)).toEqual(['one two', 'three…']);
    expect(wrapAtMost(2, '…', 'one two', 8)).toEqual(['one two']);
  });
});
