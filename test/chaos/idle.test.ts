import { describe, expect, it } from '@jest/globals';
import { judgeIdle, openFilesAllowed } from './idle.ts';

const FOUND = {
  clients: 10_000,
  beforeBytes: 70e6,
  residentBytes: 130e6,
  afterBytes: 131e6,
  filesBefore: 23,
  filesAfter: 21,
};

function verdicts(change: Partial<typeof FOUND>): readonly string[] {
  return judgeIdle({ ...FOUND, ...change }).map(({ verdict }) => verdict);
}

describe('the limits of idle clients', () => {
  it('are 150 MB for ten thousand, and every file closed once they left', () => {
    expect(verdicts({})).toEqual(['met', 'met']);
    expect(verdicts({ residentBytes: 151e6 })).toEqual(['missed', 'met']);
    expect(verdicts({ filesAfter: 24 })).toEqual(['met', 'missed']);
  });

  it('are read beside the hard limit of open files', () => {
    const text = 'Limit                     Soft Limit           Hard Limit           Units\n';
    expect(
      openFilesAllowed(`${text}Max open files            1024                 20000                files\n`),
    ).toBe(20_000);
    expect(
      openFilesAllowed(`${text}Max open files            1024                 unlimited            files\n`),
    ).toBe(Number.POSITIVE_INFINITY);
  });
});
