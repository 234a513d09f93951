import { describe, expect, it } from '@jest/globals';
import {
  allowedCores,
  cpuMicros,
  parseCoreBusy,
  parseStat,
  residentBytes,
  schedule,
  tickMicros,
} from './proc.ts';

describe('/proc', () => {
  it('is read right also when a process has spaces and parentheses in its name', () => {
    const rest = 'S 17 42 42 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 11 0 999 1 2';
    const wanted = { parent: 17, utime: 123, stime: 45 };
    expect(parseStat(`42 (node) ${rest}\n`)).toEqual(wanted);
    expect(parseStat(`42 (a) R 1 (b c) ${rest}\n`)).toEqual(wanted);
  });

  it('tells how busy one core was, idle and iowait left out', () => {
    const text = 'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 2000 8 16 32 64 128\ncpu10 5 0 0 1 1 0 0 0 0 0\n';
    expect(parseCoreBusy(text, 0)).toBe(63);
    expect(parseCoreBusy(text, 10)).toBe(5);
  });
});

if (process.platform !== 'linux') process.stderr.write('skipped: only Linux has /proc\n');
const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('this process', () => {
  it('has used CPU time, the same by scheduler and by ticks but for threads that ended', () => {
    const micros = cpuMicros(process.pid);
    expect(micros).toBeGreaterThan(0);
    const known = schedule(process.pid);
    if (known !== undefined)
      expect(known.ranMicros).toBeLessThanOrEqual(tickMicros(process.pid) * 1.2 + 100_000);
  });

  it('has memory and may run on some core', () => {
    expect(residentBytes(process.pid)).toBeGreaterThan(1e6);
    expect(allowedCores(process.pid)[0]).toMatch(/^[\d,-]+$/);
  });
});
