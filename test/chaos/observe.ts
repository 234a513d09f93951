import { OUTCOMES, type OutcomeName, type Sample } from './samples.ts';

/** When a fault happened, in milliseconds of the shared clock. */
export interface FaultTimes {
  readonly beganAt: number;
  readonly endedAt: number;
  /** When the traffic was back on the primary; undefined: not within the time that was given. */
  readonly backAt: number | undefined;
}

/** What the clients saw of one fault: everything that ended between its begin and the begin of the next. */
export interface Observed {
  /** Safe requests by how they ended. */
  readonly safe: Readonly<Record<OutcomeName, number>>;
  /** Of safe requests that were answered. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** From the begin of the fault to the first whole answer of the other side. */
  readonly detectedMs: number | undefined;
  /** From the end of the fault until the primary had the traffic again. */
  readonly backMs: number | undefined;
  /** How often most of the traffic changed sides: twice is there and back again. */
  readonly moves: number;
}

/** Shorter, and single answers would count as moves at low rates. */
const BUCKET_MS = 250;
/** So much on the other side is a move: halves, on the way back, are not one each time the dice fall otherwise. */
const MOVED = 0.7;

export function observe(samples: readonly Sample[], times: FaultTimes): Observed {
  const safe = noOutcomes();
  const latencies: number[] = [];
  let detectedAt = Number.POSITIVE_INFINITY;
  for (const { dueAt, endedAt, outcome, side, unsafe } of samples) {
    if (outcome === 'ok' && side === 'secondary' && endedAt >= times.beganAt) {
      detectedAt = Math.min(detectedAt, endedAt);
    }
    if (unsafe !== undefined) continue;
    safe[outcome] += 1;
    if (outcome === 'ok') latencies.push(endedAt - dueAt);
  }
  const sorted = Float64Array.from(latencies).sort();
  return {
    safe,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    slowestMs: sorted.at(-1) ?? 0,
    detectedMs: detectedAt === Number.POSITIVE_INFINITY ? undefined : detectedAt - times.beganAt,
    backMs: times.backAt === undefined ? undefined : times.backAt - times.endedAt,
    moves: countMoves(samples),
  };
}

function noOutcomes(): Record<OutcomeName, number> {
  return { ok: 0, status: 0, failed: 0, timeout: 0, cut: 0, forged: 0 };
}

function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** Safe requests that got neither an answer nor a break that their client can tell from one. */
export function errorsIn(safe: Observed['safe']): number {
  let errors = 0;
  for (const outcome of OUTCOMES) {
    if (outcome !== 'ok' && outcome !== 'cut') errors += safe[outcome];
  }
  return errors;
}

function countMoves(samples: readonly Sample[]): number {
  const buckets = new Map<number, { primary: number; secondary: number }>();
  for (const { endedAt, outcome, side } of samples) {
    if (outcome !== 'ok' || side === 'nobody') continue;
    const key = Math.floor(endedAt / BUCKET_MS);
    const bucket = buckets.get(key) ?? { primary: 0, secondary: 0 };
    bucket[side] += 1;
    buckets.set(key, bucket);
  }
  let before: 'primary' | 'secondary' = 'primary';
  let moves = 0;
  for (const key of [...buckets.keys()].sort((a, b) => a - b)) {
    const { primary, secondary } = buckets.get(key)!;
    const part = (before === 'primary' ? secondary : primary) / (primary + secondary);
    if (part < MOVED) continue;
    moves += 1;
    before = before === 'primary' ? 'secondary' : 'primary';
  }
  return moves;
}
