import { describe, expect, it } from '@jest/globals';
import { ErrorWindows } from '../../src/engine/error-windows.ts';

const NOW = 1_800_000_000_000;

describe('error windows', () => {
  it('tell nothing of less than twenty requests', () => {
    const windows = new ErrorWindows();
    windows.add(NOW, 19, 19);
    expect(windows.ratios(NOW)['10s']).toBeUndefined();
    windows.add(NOW, 1, 0);
    expect(windows.ratios(NOW)['10s']).toBeCloseTo(0.95, 10);
  });

  it('forget by their own length each', () => {
    const windows = new ErrorWindows();
    windows.add(NOW, 100, 50);
    windows.add(NOW + 30_000, 100, 0);
    const ratios = windows.ratios(NOW + 30_000);
    expect(ratios['10s']).toBe(0);
    expect(ratios['60s']).toBeCloseTo(0.25, 10);
    const later = windows.ratios(NOW + 600_000);
    expect([later['60s'], later['5m'], later['30m']]).toEqual([undefined, undefined, 0.25]);
    expect(windows.ratios(NOW + 7 * 3_600_000)['6h']).toBeUndefined();
  });

  it('survive a clock that goes back', () => {
    const windows = new ErrorWindows();
    windows.add(NOW, 100, 10);
    windows.add(NOW - 60_000, 100, 10);
    expect(windows.ratios(NOW - 60_000)['10s']).toBeCloseTo(0.1, 10);
  });
});
