import { expect, it } from '@jest/globals';
import { carries } from '../../../providers/cloudfoundry/label-filter.ts';

it.each([
  ['a=1', true],
  ['a=1,b', true],
  ['a=2', false],
  ['a=1,c', false],
  ['n', false],
])('chooses as the API would by %s', (selector, expected) => {
  expect(carries({ metadata: { labels: { a: '1', b: 'x', n: null } } }, selector)).toBe(expected);
});

it('chooses nothing that carries no labels', () => {
  expect(carries({ guid: 'g' }, 'a=1')).toBe(false);
});
