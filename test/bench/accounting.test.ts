import { describe, expect, it } from '@jest/globals';
import { judgeSpin } from './accounting.ts';

const spin = { wallMicros: 1_000_000, ranMicros: 700_000, waitedMicros: 290_000, tickMicros: 690_000 };

describe('the check of CPU times', () => {
  it('counts running and waiting for the core as explained', () => {
    expect(judgeSpin(spin)).toEqual({ source: 'scheduler', explained: 0.99, byTicks: 0.98 });
  });

  it('falls back to ticks where the scheduler tells nothing', () => {
    const ticks = judgeSpin({ ...spin, ranMicros: null, waitedMicros: null });
    expect(ticks).toEqual({ source: 'ticks', explained: 0.69, byTicks: 0.69 });
  });
});
