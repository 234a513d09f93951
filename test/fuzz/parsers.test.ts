import { expect, it } from '@jest/globals';
import { fuzzParsers } from './parsers.ts';

it('reads mutated messages as Node does, or refuses them', () => {
  const { messages, weAccept, disagreements } = fuzzParsers({ count: 30_000, goesOn: () => true }, 1);
  expect(disagreements).toEqual([]);
  expect(messages).toBe(30_000);
  expect(weAccept).toBeGreaterThan(2_000);
});
