import type { ApplicationName, PlatformName } from './ids.ts';
import type { Predicate } from './predicate.ts';

/** A rehearsed loss of a platform, as the configuration has it: `applications.NAME.drills[]`. */
export interface DrillSettings {
  readonly name: string;
  readonly platform: PlatformName;
  /** When it begins by itself; undefined: only when a person asks for it. */
  readonly cron: string | undefined;
  /** IANA name. */
  readonly timeZone: string;
  /** How long the platform stays without traffic. */
  readonly forMs: number;
  /** With any of these it does not begin; `target` is the platform that is drilled. */
  readonly blockIf: readonly Predicate[];
  /** With any of these it ends at once and the platform gets its traffic back. */
  readonly abortIf: readonly Predicate[];
  readonly expect: DrillExpectations;
  /** After this time without a passed drill the platform is unproven. */
  readonly staleAfterMs: number;
}

/** What must have been so for a drill to pass. */
export interface DrillExpectations {
  /** From the order until no worker sends the platform a new request. */
  readonly shiftWithinMs: number;
  /** Requests answered 5xx ÷ all requests, 0 to 1. */
  readonly errors: number;
  /** 95th percentile of the time to the response head, in no second of no origin more than this. */
  readonly slowestMs?: number;
}

export const DEFAULT_EXPECTATIONS: DrillExpectations = { shiftWithinMs: 20_000, errors: 0.001 };
export const DEFAULT_DRILL_MS = 120_000;
export const DEFAULT_STALE_AFTER_MS = 30 * 86_400_000;

/**
 * `blocked`: it did not begin. `aborted`: something got worse, and the platform got its traffic back. `interrupted`:
 * something of a higher class (a real failover, an order of a person, panic) came in between. `failed`: it went its
 * way and missed what was expected.
 */
export type DrillOutcome = 'passed' | 'failed' | 'aborted' | 'blocked' | 'interrupted';

/** `shifting` until the traffic has left, `away` while it is gone, `returning` until the platform has its share again. */
export type DrillPhase = 'shifting' | 'away' | 'returning' | 'over';

/** One drill, as it stands in the state (collection `drills`). Plain JSON; times in epoch milliseconds. */
export interface DrillRecord {
  readonly id: string;
  /** As configured, or `by hand`. */
  readonly name: string;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  /** The name of a token, or `schedule`. */
  readonly who: string;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly forMs: number;
  readonly expect: DrillExpectations;
  readonly phase: DrillPhase;
  readonly phaseSince: number;
  readonly before: DrillBaseline;
  readonly evidence: DrillEvidence;
  readonly outcome?: DrillOutcome;
  /** What was missed, what stood in the way, who came in between; empty when it passed. */
  readonly why: readonly string[];
  /** Since when the platform has its share again; undefined: not yet, or nobody waited for it. */
  readonly backSince?: number;
}

/** How it was before the drill began. */
export interface DrillBaseline {
  readonly shares: Readonly<Record<PlatformName, number>>;
  /** Of the whole application and of the others, whichever is slower; 0: nothing was asked. */
  readonly p95Ms: number;
  /** Instances that ran and that were wanted. */
  readonly instances: Readonly<Record<PlatformName, { readonly running: number; readonly desired: number }>>;
}

/** What a drill has shown. */
export interface DrillEvidence {
  /** From the order until no worker sent the platform a new request. */
  readonly shiftMs?: number;
  /** From the end of the drain until the platform had its share again. */
  readonly returnMs?: number;
  /** Answers to clients, and how many of them were 5xx. */
  readonly requests: number;
  readonly failed: number;
  /** The highest 95th percentile of any one second at any one origin. */
  readonly slowestMs: number;
  /** The most that the others carried. */
  readonly peakRps: number;
  /** What they can carry, as far as it is known of all of them. */
  readonly capacityRps?: number;
  /** The highest share of each of the others while the platform was away. */
  readonly carriers: Readonly<Record<PlatformName, number>>;
}

/** What drills have shown of a platform. */
export interface DrillStanding {
  /** It passed within the time that the configuration gives (30 days). */
  readonly proven: boolean;
  /** The newest drill that passed: it was drained, or it carried for the one that was. */
  readonly passedAt?: number;
  /** The newest drill of this platform that did begin. */
  readonly last?: { readonly id: string; readonly at: number; readonly outcome: DrillOutcome };
}

/** What drills have shown of one platform of an application; undefined: nobody keeps count. */
export type DrillOf = (platform: PlatformName) => DrillStanding | undefined;

/** A share that grew by more than this carried for somebody. */
const CARRIED = 0.01;

/** A drill without a single request shows that tables change, not that the others can carry. */
export function provedBy(record: DrillRecord, platform: PlatformName): boolean {
  if (record.outcome !== 'passed' || record.evidence.requests === 0) return false;
  if (record.platform === platform) return true;
  // Who had traffic anyway proves by its own drill; who stands by proves when it takes over.
  const before = record.before.shares[platform] ?? 0;
  return before === 0 && (record.evidence.carriers[platform] ?? 0) > CARRIED;
}

/** `records` in any order. */
export function standingOf(
  records: readonly DrillRecord[],
  of: {
    readonly application: ApplicationName;
    readonly platform: PlatformName;
    readonly staleAfterMs: number;
  },
  now: number,
): DrillStanding {
  const own = records.filter(({ application }) => application === of.application);
  const passedAt = newest(own.filter((record) => provedBy(record, of.platform)))?.finishedAt;
  const ended = own.filter(
    ({ platform, outcome }) => platform === of.platform && outcome !== undefined && outcome !== 'blocked',
  );
  const last = newest(ended);
  return {
    proven: passedAt !== undefined && now - passedAt <= of.staleAfterMs,
    ...(passedAt === undefined ? {} : { passedAt }),
    ...(last?.outcome === undefined
      ? {}
      : { last: { id: last.id, at: last.finishedAt ?? last.startedAt, outcome: last.outcome } }),
  };
}

function newest(records: readonly DrillRecord[]): DrillRecord | undefined {
  let found: DrillRecord | undefined;
  for (const record of records) {
    if (found === undefined || record.startedAt > found.startedAt) found = record;
  }
  return found;
}
