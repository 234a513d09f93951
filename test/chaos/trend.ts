/** Whether a series still rises: the median of its last third beside that of its middle third. */
export interface Trend {
  readonly middle: number;
  readonly last: number;
  readonly isFlat: boolean;
}

export interface TrendTolerance {
  /** Part of the middle. */
  readonly part: number;
  /** In the unit of the series; whichever is larger counts. */
  readonly absolute: number;
}

/** The first third is not looked at: it is where everything grows to its working size. Needs at least three values. */
export function trendOf(series: readonly number[], tolerance: TrendTolerance): Trend {
  if (series.length < 3) throw new RangeError(`a trend of ${series.length} values`);
  const third = Math.floor(series.length / 3);
  const middle = median(series.slice(third, series.length - third));
  const last = median(series.slice(series.length - third));
  const allowed = Math.max(tolerance.part * middle, tolerance.absolute);
  return { middle, last, isFlat: last - middle <= allowed };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? 0;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? upper) + upper) / 2 : upper;
}
