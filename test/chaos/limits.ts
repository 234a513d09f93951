import type { Fault } from './faults.ts';
import type { LedgerFindings } from './ledger.ts';
import { errorsIn, type Observed } from './observe.ts';

export type Verdict = 'met' | 'missed' | 'inconclusive';

export interface Judged {
  readonly limit: string;
  readonly found: string;
  readonly verdict: Verdict;
}

export const SLOWEST_MS = 1_000;
/** From here on a limit on time that was missed says nothing of the proxy. */
const TOO_LATE_MS = 100;
const TOO_BUSY = 0.25;

/** There and back again. */
const MOST_MOVES = 2;

export interface Circumstances extends Disturbance {
  /** The primary had all of it when the fault began: who has nothing to lose proves nothing. */
  readonly hasTraffic: boolean;
}

/** What the machine did to everybody while a fault was watched. */
export interface Disturbance {
  /** How late the load itself came at worst, in milliseconds. */
  readonly lateMs: number;
  /** The part of all cores that other programs used. */
  readonly foreign: number;
}

/** What Sluice must hold in one fault. */
export function judgeFault(
  fault: Pick<Fault, 'movesTraffic' | 'detectedWithinMs'>,
  observed: Observed,
  { hasTraffic, ...disturbance }: Circumstances,
): readonly Judged[] {
  const errors = errorsIn(observed.safe);
  const judged: Judged[] = [
    exact('no safe request fails', `${errors} of ${total(observed.safe)} failed`, errors === 0),
    timed('the slowest safe answer < 1 s', observed.slowestMs, SLOWEST_MS, disturbance),
  ];
  if (!hasTraffic) judged.push(exact('the primary has the traffic when it breaks', 'it had not', false));
  const { detectedMs, moves } = observed;
  if (fault.movesTraffic) {
    judged.push(
      exact('traffic leaves', detectedMs === undefined ? 'it stayed' : 'it left', detectedMs !== undefined),
    );
  }
  if (fault.detectedWithinMs !== undefined && detectedMs !== undefined) {
    judged.push(
      timed(
        `the other side answers within ${fault.detectedWithinMs} ms`,
        detectedMs,
        fault.detectedWithinMs,
        disturbance,
      ),
    );
  }
  judged.push(
    exact('traffic moves there and back at most', `${moves} moves`, moves <= MOST_MOVES),
    exact(
      'traffic comes back',
      observed.backMs === undefined ? 'not in time' : 'it did',
      observed.backMs !== undefined,
    ),
  );
  return judged;
}

export function judgeLedger({ sent, twice, lost }: LedgerFindings): readonly Judged[] {
  return [
    exact('nothing unsafe is executed twice', named(twice, sent), twice.length === 0),
    exact('nothing unsafe succeeds that was not executed', named(lost, sent), lost.length === 0),
  ];
}

function exact(limit: string, found: string, met: boolean): Judged {
  return { limit, found, verdict: met ? 'met' : 'missed' };
}

function timed(limit: string, ms: number, atMost: number, disturbance: Disturbance): Judged {
  const found = `${Math.round(ms)} ms`;
  if (ms < atMost) return { limit, found, verdict: 'met' };
  const { lateMs, foreign } = disturbance;
  if (lateMs < TOO_LATE_MS && foreign < TOO_BUSY) return { limit, found, verdict: 'missed' };
  return { limit, found: `${found}, while ${inWords(disturbance)}`, verdict: 'inconclusive' };
}

export function inWords({ lateMs, foreign }: Disturbance): string {
  return `other programs used ${Math.round(foreign * 100)} % of all cores and the load came ${Math.round(lateMs)} ms late`;
}

function total(safe: Observed['safe']): number {
  return Object.values(safe).reduce((sum, count) => sum + count, 0);
}

function named(targets: readonly string[], of: number): string {
  if (targets.length === 0) return `0 of ${of}`;
  return `${targets.length} of ${of}: ${targets.slice(0, 5).join(', ')}`;
}
