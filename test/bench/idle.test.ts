import { describe, expect, it } from '@jest/globals';
import { openFilesAllowed } from './idle.ts';

describe('open files', () => {
  it('are as many as the hard limit allows', () => {
    const line = (hard: string): string =>
      `Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 ${hard}                files\n`;
    expect(openFilesAllowed(line('20000'))).toBe(20_000);
    expect(openFilesAllowed(line('unlimited'))).toBe(Number.POSITIVE_INFINITY);
    expect(openFilesAllowed('')).toBe(0);
  });
});
