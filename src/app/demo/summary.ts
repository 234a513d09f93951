import type { Sample } from './load.ts';

/** One thing that was broken, and what came of it. */
export interface Outage {
  readonly platform: string;
  readonly fault: string;
  /** From the fault to the first ejection or down verdict; null where nothing was to be detected. */
  readonly detectedMs: number | null;
  /** Safe requests that failed while it lasted. */
  readonly failed: number;
  readonly slowestMs: number;
  /** From the repair to the first share of traffic; null where it never lost any. */
  readonly returnedMs: number | null;
  /** Decisions that moved traffic although nothing should have. */
  readonly moved?: number;
}

export interface Summary {
  readonly type: 'summary';
  readonly requests: number;
  /** Safe requests that failed. */
  readonly failed: number;
  readonly unsafe: { readonly sent: number; readonly failed: number; readonly twice: number };
  readonly byPlatform: Readonly<Record<string, number>>;
  readonly outages: readonly Outage[];
  readonly deploy: Readonly<Record<string, number>>;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What the clients saw of requests sent between two moments. */
export function seenBetween(
  samples: readonly Sample[],
  window: Window,
): { failed: number; slowestMs: number } {
  const safe = samples.filter((one) => one.safe && one.sentAt >= window.from && one.sentAt <= window.to);
  return {
    failed: safe.filter((one) => !one.ok).length,
    slowestMs: Math.round(safe.reduce((slowest, one) => Math.max(slowest, one.ms), 0)),
  };
}

export function summarise(
  samples: readonly Sample[],
  twice: number,
  outages: readonly Outage[],
  deploy: Readonly<Record<string, number>>,
): Summary {
  const unsafe = samples.filter((one) => !one.safe);
  const byPlatform: Record<string, number> = {};
  for (const { platform } of samples) if (platform) byPlatform[platform] = (byPlatform[platform] ?? 0) + 1;
  return {
    type: 'summary',
    requests: samples.length,
    failed: samples.filter((one) => one.safe && !one.ok).length,
    unsafe: { sent: unsafe.length, failed: unsafe.filter((one) => !one.ok).length, twice },
    byPlatform,
    outages,
    deploy,
  };
}

/** The demo's own verdict on itself. */
export function isGood(summary: Summary): boolean {
  return summary.failed === 0 && summary.unsafe.twice === 0;
}
