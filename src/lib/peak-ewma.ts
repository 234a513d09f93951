/** Finagle's decay. */
const TAU_MS = 10_000;

/** A latency that is quick to rise and slow to forget. */
export interface PeakEwma {
  readonly ms: number;
  /** Of the last sample. */
  readonly at: number;
}

/**
 * Peak EWMA (Finagle, tower): a sample above the estimate replaces it, one below pulls it down by e^(−Δt/τ).
 */
export function sampled(before: PeakEwma | undefined, sampleMs: number, at: number): PeakEwma {
  if (before === undefined || sampleMs > before.ms) return { ms: sampleMs, at };
  const kept = Math.exp(-Math.max(0, at - before.at) / TAU_MS);
  return { ms: before.ms * kept + sampleMs * (1 - kept), at };
}
