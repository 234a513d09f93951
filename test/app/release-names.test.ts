import { expect, it } from '@jest/globals';
import { createReleaseNames } from '../../src/app/release-names.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { Release } from '../../src/core/release.ts';

const settings = originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]);

function release(number: number): Release {
  const id = `r-000000000${number}`;
  return { id, number, application: 'default', sourceDigest: '', configHash: '', createdAt: number };
}

it('knows numbers and the newest live release as of the last refresh', async () => {
  let live: Record<string, string> = { a: 'r-0000000001', b: 'r-0000000002' };
  const names = createReleaseNames(
    { releases: async () => ({ releases: [1, 2, 3].map(release), live }) },
    settings,
  );
  expect(names.numberOf('default', 'r-0000000001')).toBeUndefined();
  expect(names.newestLive('default')).toBeUndefined();
  await names.refresh();
  expect(names.numberOf('default', 'r-0000000003')).toBe(3);
  expect(names.numberOf('default', 'r-000000000f')).toBeUndefined();
  expect(names.numberOf('other', 'r-0000000003')).toBeUndefined();
  expect(names.newestLive('default')?.number).toBe(2);
  live = { a: 'r-0000000001' };
  expect(names.newestLive('default')?.number).toBe(2);
  await names.refresh();
  expect(names.newestLive('default')?.number).toBe(1);
});
