import type { StatusView } from '../../src/core/status.ts';
import { type RateHistory, rateKey, rowsOf } from './model.ts';

/** The server's rates are means over ten seconds: looking more often than this shows the same again. */
const SAMPLE_MS = 2_000;
const MAX_SAMPLES = 60;

export function sampleRates(history: RateHistory, status: StatusView): RateHistory {
  // A clock that went back (another server) must not stop the sampling for good.
  const age = status.at - history.sampledAt;
  if (age >= 0 && age < SAMPLE_MS) return history;
  const samples: Record<string, readonly number[]> = {};
  for (const { application, platform } of rowsOf(status)) {
    const key = rateKey(application.name, platform.name);
    samples[key] = [...(history.samples[key] ?? []), platform.rps].slice(-MAX_SAMPLES);
  }
  return { sampledAt: status.at, samples };
}

/** The last `width` samples as one sign each; `most` is the full height, so that rows can be compared. */
export function trendLine(samples: readonly number[], most: number, width: number, signs: string): string {
  const top = signs.length - 1;
  const shown = samples.slice(-width).map((rps) => {
    if (most <= 0 || rps <= 0) return signs[0] ?? ' ';
    return signs[Math.max(1, Math.min(top, Math.round((rps / most) * top)))] ?? ' ';
  });
  return shown.join('').padStart(width);
}
