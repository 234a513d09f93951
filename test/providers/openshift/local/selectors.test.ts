import { describe, expect, it } from '@jest/globals';
import { parseFieldSelector, parseLabelSelector } from '../../../../providers/openshift/local/selectors.ts';

describe('label selectors', () => {
  it.each([
    ['app=a', true],
    ['app==a,tier!=db', true],
    ['app in (a, b),tier', false],
    ['app notin (b),!tier', true],
    ['app in (b)', false],
    ['', true],
  ])('%s', (text, expected) => {
    expect(parseLabelSelector(text)({ app: 'a' })).toBe(expected);
  });

  it('quotes what it cannot read', () => {
    expect(() => parseLabelSelector('a b c')).toThrow('a b c');
  });
});

describe('field selectors', () => {
  it('look into the object', () => {
    const matches = parseFieldSelector('metadata.name=x,status.phase!=Running');
    expect(matches({ metadata: { name: 'x' }, status: { phase: 'Pending' } })).toBe(true);
    expect(matches({ metadata: { name: 'x' }, status: { phase: 'Running' } })).toBe(false);
  });
});
