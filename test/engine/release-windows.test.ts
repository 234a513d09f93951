import { expect, it } from '@jest/globals';
import type { TrafficSignal } from '../../src/core/signals.ts';
import { ReleaseWindows } from '../../src/engine/release-windows.ts';
import { counts } from '../support/scenario.ts';

const HOUR_MS = 3_600_000;

function window(at: number): TrafficSignal {
  return {
    ...{
      kind: 'traffic',
      at,
      windowMs: 1_000,
      worker: 1,
      application: 'shop',
      platform: 'cf',
      origin: 'cf/a:1',
    },
    ...{ counts: counts({}), p50Ms: 0, p95Ms: 0, inFlight: 0 },
  };
}

const tried = (release: string) => ({ release, trial: true, requests: 1, failed: 1, heads: [] }) as const;

it('keeps the last trial only, and forgets windows after an hour', () => {
  const windows = new ReleaseWindows();
  windows.add(window(1_000), tried('r-1'));
  windows.add(window(2_000), tried('r-2'));
  windows.add(window(3_000), tried('r-2'));
  expect([windows.tried, windows.trial('r-1', 0).requests, windows.trial('r-2', 0).requests]).toEqual([
    ...['r-2', 0, 2],
  ]);
  windows.add(window(1_500 + HOUR_MS), tried('r-2'));
  expect(windows.trial('r-2', 0).requests).toBe(2);
});

it('says nothing of latency when nothing answered', () => {
  const windows = new ReleaseWindows();
  windows.add(window(1_000), tried('r-1'));
  expect(windows.trial('r-1', 0)).toEqual({ requests: 1, failed: 1, p50Ms: undefined, p95Ms: undefined });
  expect(windows.own(0).requests).toBe(0);
});
