import { describe, expect, it } from '@jest/globals';
import { NOTHING_YET, type Tally } from './soak-messages.ts';
import { judgeSoak, minuteLine, type Rest, type SoakSample } from './soak-report.ts';
import type { SoakFindings } from './soak-run.ts';

const REST: Rest = {
  residentBytes: 90e6,
  files: 21,
  clients: 0,
  upstream: 0,
  closeWait: 0,
  active: 0,
  upgrades: 0,
};
const TALLY: Tally = { ...NOTHING_YET, done: 700, aborted: 200, cut: 9 };

function samples(residentBytes: (second: number) => number): readonly SoakSample[] {
  return Array.from({ length: 60 }, (_, second) => ({
    ...REST,
    residentBytes: residentBytes(second),
    tally: TALLY,
  }));
}

const CLEAN: SoakFindings = {
  before: REST,
  samples: samples(() => 120e6),
  after: { ...REST, residentBytes: 118e6 },
  tally: TALLY,
  restarts: 12,
};

function missed(change: Partial<SoakFindings>): readonly string[] {
  return judgeSoak({ ...CLEAN, ...change })
    .filter(({ verdict }) => verdict !== 'met')
    .map(({ limit }) => limit);
}

describe('the limits of the soak', () => {
  it('are met when everything is closed again and memory is flat', () => {
    expect(missed({})).toEqual([]);
    expect(missed({ after: { ...REST, files: 19 } })).toEqual([]);
  });

  it.each([
    ['upstream', 'no upstream connection is left'],
    ['clients', 'no client connection is left'],
    ['active', 'no exchange or tunnel is left'],
    ['upgrades', 'no exchange or tunnel is left'],
  ] as const)('are missed by one of %s that is left', (kind, limit) => {
    expect(missed({ after: { ...REST, [kind]: 1 } })).toEqual([limit]);
  });

  it('are missed by a file that stays open, and by a count that could not be read', () => {
    expect(missed({ after: { ...REST, files: 22 } })).toEqual(['open files are as many as before']);
    expect(missed({ after: { ...REST, active: Number.NaN } })).toEqual(['no exchange or tunnel is left']);
  });

  it('are missed by memory that goes on growing', () => {
    expect(missed({ samples: samples((second) => 100e6 + second * 1e6) })).toEqual(['memory does not grow']);
  });

  it('are missed by a safe request that failed', () => {
    const found = judgeSoak({ ...CLEAN, tally: { ...TALLY, safeFailed: 2, reasons: { 'status 502': 2 } } });
    expect(found.at(-1)).toEqual({
      limit: 'no safe request fails',
      found: '2 of 702 (2 × status 502)',
      verdict: 'missed',
    });
  });
});

describe('the line of a minute', () => {
  it('counts what came since the last one', () => {
    const minute = samples(() => 120e6).map((sample, second) => ({ ...sample, upstream: second }));
    const before: Tally = { ...NOTHING_YET, done: 300, aborted: 50 };
    expect(minuteLine(2, minute, before)).toBe('| 2 | 559 | 150 | 9 | 0 | 120.0 | 21 | 59 | 0 | 0 | 0 |');
  });
});
