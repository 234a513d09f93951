import { expect, it } from '@jest/globals';
import { fuzzHeads } from './heads.ts';

it('reads mutated messages as Node does, or refuses them', () => {
  const { weAccept, disagreements } = fuzzHeads(100_000, 1);
  expect(disagreements).toEqual([]);
  expect(weAccept).toBeGreaterThan(5_000);
});
