import { measureDeciding } from './deciding.ts';
import { measureProbing } from './probing.ts';
import type { JudgementReport } from './report.ts';

export interface JudgementOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Where the JSON goes; undefined: to test/bench/results, by date. */
  readonly json: string | undefined;
}

/** As many as the limits speak of. */
const DECIDING = { applications: 1_000, platforms: 10 };
const PROBING = { applications: 1_000, platforms: 5 };
/** A round of deciding takes milliseconds. */
const DECIDING_ROUNDS = 8;

export async function judgement(
  { rounds, seconds }: JudgementOptions,
  { signal, progress }: { signal: AbortSignal; progress: (line: string) => void },
): Promise<JudgementReport> {
  progress(`deciding for ${DECIDING.applications} applications × ${DECIDING.platforms} platforms`);
  const deciding = measureDeciding(DECIDING, rounds * DECIDING_ROUNDS);
  progress(`probing ${PROBING.applications * PROBING.platforms} targets`);
  const probing = await measureProbing(PROBING, { rounds, seconds, signal });
  return { schema: 1, at: new Date().toISOString(), node: process.version, deciding, probing };
}
