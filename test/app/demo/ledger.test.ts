import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { executedTwice, readLedger } from '../../../src/app/demo/ledger.ts';

it('finds orders executed twice, on whichever instance, and passes over half a line', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-ledger-'));
  await writeFile(join(dir, 'a'), '{"id":"order-1","platform":"cf"}\n{"id":"order-2"}\n{"id":"ord');
  await writeFile(join(dir, 'b'), '{"id":"order-1"}\n{"id":"order-3"}\n{"id":"order-1"}\n');
  const ledger = await readLedger(dir);
  await rm(dir, { recursive: true });
  expect(Object.fromEntries(ledger)).toEqual({ 'order-1': 3, 'order-2': 1, 'order-3': 1 });
  expect(executedTwice(ledger)).toBe(1);
});

it('takes a ledger that nobody wrote for an empty one', async () => {
  expect((await readLedger('/nonexistent')).size).toBe(0);
});
