import { expect, it } from '@jest/globals';
import { createSystemNames } from '../../src/lib/system-names.ts';

it('resolves what the hosts file knows, and fails with a code for what nobody knows', async () => {
  const names = createSystemNames();
  const { addresses } = await names.resolve('localhost');
  expect(addresses.some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  await expect(names.resolve('x'.repeat(300))).rejects.toMatchObject({ code: expect.any(String) });
}, 30_000);
