import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { faultTable } from './table.ts';

it('docs/operating.md tells the outcomes that the fault matrix holds the providers to', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8');
  expect(text).toContain(faultTable());
});
