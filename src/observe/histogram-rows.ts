import { LATENCY_BUCKETS_MS, type TargetCounters } from '../core/traffic-counters.ts';

/** One line of a histogram as Prometheus reads it. */
export interface HistogramRow {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Cumulative buckets in seconds, sum and count, for each platform that answered anything. */
export function histogramRows(name: string, targets: readonly TargetCounters[]): HistogramRow[] {
  return targets.filter(({ platform }) => platform !== '').flatMap((target) => rowsOf(name, target));
}

function rowsOf(name: string, { application, platform, buckets, sumMs }: TargetCounters): HistogramRow[] {
  const labels = { application, platform };
  const rows: HistogramRow[] = [];
  let count = 0;
  for (let i = 0; i <= LATENCY_BUCKETS_MS.length; i += 1) {
    const bound = LATENCY_BUCKETS_MS[i];
    count += buckets[i] ?? 0;
    const le = bound === undefined ? '+Inf' : bound / 1_000;
    rows.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
  }
  rows.push({ metricName: `${name}_sum`, labels, value: sumMs / 1_000 });
  rows.push({ metricName: `${name}_count`, labels, value: count });
  return rows;
}
