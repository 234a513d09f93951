import { describe, expect, it } from '@jest/globals';
import { foreignPart, readCpu } from './foreign-cpu.ts';

describe('what others use of a machine', () => {
  it('is what was used and not by us, as a part of all cores', () => {
    const before = { atMs: 1_000, busyMicros: 5_000_000, ownMicros: 1_000_000 };
    const after = { atMs: 2_000, busyMicros: 6_500_000, ownMicros: 2_000_000 };
    expect(foreignPart(before, after, 2)).toBe(0.25);
  });

  it('is nothing where our own died or nothing passed', () => {
    const before = { atMs: 1_000, busyMicros: 0, ownMicros: 9_000_000 };
    expect(foreignPart(before, { atMs: 2_000, busyMicros: 0, ownMicros: 1 }, 2)).toBe(0);
    expect(foreignPart(before, before, 2)).toBe(0);
  });

  if (process.platform !== 'linux') process.stderr.write('skipped: only Linux has /proc\n');
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('is read from this machine', () => {
    const before = readCpu(process.pid);
    const after = readCpu(process.pid);
    expect(before.busyMicros).toBeGreaterThan(0);
    expect(after.ownMicros).toBeGreaterThanOrEqual(before.ownMicros);
  });
});
