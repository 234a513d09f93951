import { describe, expect, it } from '@jest/globals';
import { parseProcStat, parseResidentBytes } from '../../src/runner/proc-stat.ts';

const LINE =
  '4711 (node (a) b) S 1 4700 4700 0 -1 4194560 2034 0 0 0 150 25 0 0 20 0 11 0 987654 1157627904 11502 18446744073709551615';

describe('/proc parser', () => {
  it('reads a line whose command name holds spaces and parentheses', () => {
    expect(parseProcStat(LINE)).toEqual({
      pid: 4711,
      state: 'S',
      processGroup: 4700,
      cpuTicks: 175,
      startTicks: 987_654,
    });
  });

  it('gives nothing for what is no stat line', () => {
    for (const text of ['', 'nonsense', '12 (x', '12 (x) S 1', '12 (x) S a b c'])
      expect(parseProcStat(text)).toBeUndefined();
  });

  it('reads resident memory, which kernel threads do not have', () => {
    expect(parseResidentBytes('Name:\tnode\nVmRSS:\t   46008 kB\nThreads:\t11\n')).toBe(46_008 * 1024);
    expect(parseResidentBytes('Name:\tkthreadd\nThreads:\t1\n')).toBeUndefined();
  });
});
