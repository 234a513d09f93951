import type { Decision } from '../core/decision.ts';
import type { DrillEvidence, DrillRecord, DrillSettings } from '../core/drill.ts';
import { type Facts, partThere } from '../core/facts.ts';
import type { PlatformName } from '../core/ids.ts';
import type { PolicyState } from '../core/policy.ts';
import type { PolicySettings } from '../core/settings.ts';
import { aborting, heldBy, type Interruption, interrupting } from './drill-conditions.ts';

/** All that a drill looks at, at one moment. */
export interface DrillSight {
  readonly now: number;
  readonly policy: PolicySettings;
  readonly facts: Facts;
  readonly state: PolicyState;
  readonly decision: Decision;
  /** No worker sends the platform a new request any more. */
  readonly isAway: boolean;
  /** Our own order is still in force: nobody has lifted it. */
  readonly isOrdered: boolean;
  /** A deployment of the application that is under way. */
  readonly deployment: string | undefined;
  /** What clients were answered since the drill began. */
  readonly answers: { readonly requests: number; readonly failed: number };
  /** The slowest second since the last look: its 95th percentile. */
  readonly slowestMs: number;
}

/**
 * What is to be ordered next. `return`: the drain is lifted and the platform comes back step by step. `recall`: at
 * once, with its whole share. `end`: nothing of ours stays in force.
 */
export type DrillOrder = 'none' | 'return' | 'recall' | 'end';

export interface DrillStep {
  readonly drill: DrillRecord;
  readonly order: DrillOrder;
}

/** A table may be late at one worker; far beyond what is expected nobody waits for it. */
const SHIFT_LIMIT_MS = 60_000;
/** Workers tell once a second what they answered: the last of it is waited for. */
const SETTLE_MS = 1_500;
/** Full members whose share is another one than before: the policy wants it so. */
const MEMBER_MS = 30_000;
const BACK = 0.9;
/** Who is recalled is back at once, or somebody of a higher class does not want it. */
const RECALL_LIMIT_MS = 30_000;

/**
 * One step of a drill: shifting → away → returning → over. Pure; called several times a second until the phase is
 * `over`. Whatever is of a higher class ends it at once, and whatever gets worse brings the platform back at once.
 */
export function advanceDrill(
  before: DrillRecord,
  settings: Pick<DrillSettings, 'abortIf'>,
  sight: DrillSight,
): DrillStep {
  const drill = { ...before, evidence: measured(before, sight) };
  const interruption = interrupting(drill, sight);
  if (interruption !== undefined && (drill.outcome === undefined || interruption.byPerson)) {
    return interrupted(drill, interruption, sight);
  }
  if (drill.phase === 'returning') return returning(drill, sight);
  const abort = aborting(drill, settings.abortIf, sight);
  if (abort.length > 0) return aborted(drill, abort, sight);
  if (drill.phase === 'shifting') return shifting(drill, sight);
  if (sight.now - drill.phaseSince < drill.forMs) return { drill, order: 'none' };
  return { drill: entering(drill, 'returning', sight.now), order: 'return' };
}

function measured({ evidence, platform, phase }: DrillRecord, sight: DrillSight): DrillEvidence {
  const { facts, decision, answers } = sight;
  const others = facts.targets.filter((target) => target.platform !== platform);
  const rps = others.reduce((sum, { traffic }) => sum + traffic.rps, 0);
  const carriers: Record<PlatformName, number> = { ...evidence.carriers };
  for (const other of others) {
    const share = decision.shares[other.platform] ?? 0;
    if (phase === 'away') carriers[other.platform] = Math.max(carriers[other.platform] ?? 0, share);
  }
  const capacity = capacityOf(sight, platform);
  return {
    ...evidence,
    ...answers,
    slowestMs: Math.max(evidence.slowestMs, sight.slowestMs),
    // Rates look back ten seconds: before the traffic has moved they are the others' own.
    peakRps: phase === 'away' ? Math.max(evidence.peakRps, rps) : evidence.peakRps,
    ...(phase === 'away' && capacity !== undefined ? { capacityRps: capacity } : {}),
    carriers,
  };
}

/** Requests per second that those carry who serve beside the platform; undefined when it is not known of all. */
function capacityOf({ facts, decision }: DrillSight, platform: PlatformName): number | undefined {
  let sum = 0;
  for (const target of facts.targets) {
    const { platform: name, capacityRps } = target;
    if (name === platform || (decision.shares[name] ?? 0) === 0) continue;
    if (capacityRps === undefined) return undefined;
    sum += capacityRps * partThere(target);
  }
  return sum;
}

function shifting(drill: DrillRecord, sight: DrillSight): DrillStep {
  const { now } = sight;
  if (sight.isAway && (sight.decision.shares[drill.platform] ?? 0) === 0) {
    const away = entering(drill, 'away', now);
    return {
      drill: { ...away, evidence: { ...away.evidence, shiftMs: now - drill.startedAt } },
      order: 'none',
    };
  }
  const limit = Math.max(SHIFT_LIMIT_MS, 2 * drill.expect.shiftWithinMs);
  if (now - drill.startedAt < limit) return { drill, order: 'none' };
  const late = `${drill.platform} still has traffic after ${seconds(now - drill.startedAt)}`;
  return aborted(drill, [late], sight);
}

function returning(given: DrillRecord, sight: DrillSight): DrillStep {
  const { now, policy, facts } = sight;
  const drill = withBackSince(given, sight);
  if (isSettled(drill, sight)) {
    const returnMs = (drill.backSince ?? now) - drill.phaseSince;
    return over({ ...drill, evidence: { ...drill.evidence, returnMs } }, now, missed(drill));
  }
  // Nobody returns while a person holds everything, and the drill does not outlast that.
  if (drill.outcome !== undefined && heldBy(facts, now) !== undefined) return over(drill, now, []);
  const limit = drill.outcome === undefined ? returnLimitMs(policy) : RECALL_LIMIT_MS;
  if (now - drill.phaseSince < limit) return { drill, order: 'none' };
  const late = `${drill.platform} has not its share again after ${seconds(limit)}`;
  return over(drill, now, [...missed(drill), late]);
}

/** Since when it is a full member without a break. */
function withBackSince(drill: DrillRecord, { state, now }: DrillSight): DrillRecord {
  const { backSince, ...rest } = drill;
  const membership = state.targets[drill.platform]?.membership.kind ?? 'fresh';
  const isMember = membership === 'in' || membership === 'fresh';
  return isMember ? { ...rest, backSince: backSince ?? now } : rest;
}

/** With its share again; after a while with whatever the policy gives it now, by latency or capacity. */
function isSettled({ platform, before, backSince }: DrillRecord, { decision, now }: DrillSight): boolean {
  if (backSince === undefined || now - backSince < SETTLE_MS) return false;
  const share = decision.shares[platform] ?? 0;
  return share >= BACK * (before.shares[platform] ?? 0) || now - backSince >= MEMBER_MS;
}

/** Twice the ramp, what the pace of moves costs, and a minute. */
export function returnLimitMs({ ramp, maxShiftPerMinute = 1 }: PolicySettings): number {
  const pace = maxShiftPerMinute > 0 && maxShiftPerMinute < 1 ? 60_000 / maxShiftPerMinute : 0;
  return 2 * ramp.steps.length * ramp.everyMs + pace + 60_000;
}

/** What was expected and did not come. */
function missed({ evidence, expect }: DrillRecord): string[] {
  const { shiftMs, requests, failed, slowestMs } = evidence;
  const missing: string[] = [];
  if (shiftMs !== undefined && shiftMs > expect.shiftWithinMs) {
    missing.push(
      `the traffic left after ${seconds(shiftMs)}, expected within ${seconds(expect.shiftWithinMs)}`,
    );
  }
  const errors = requests === 0 ? 0 : failed / requests;
  if (errors > expect.errors) {
    missing.push(
      `${failed} of ${requests} requests failed (${percent(errors)}), expected at most ${percent(expect.errors)}`,
    );
  }
  if (expect.slowestMs !== undefined && slowestMs > expect.slowestMs) {
    missing.push(
      `p95 reached ${Math.round(slowestMs)} ms, expected at most ${Math.round(expect.slowestMs)} ms`,
    );
  }
  return missing;
}

function aborted(drill: DrillRecord, why: readonly string[], { now }: DrillSight): DrillStep {
  return { drill: { ...entering(drill, 'returning', now), outcome: 'aborted', why }, order: 'recall' };
}

/** A person's word stands as it is; whoever else is missing somewhere needs the platform at once. */
function interrupted(drill: DrillRecord, { why, byPerson }: Interruption, { now }: DrillSight): DrillStep {
  const outcome = drill.outcome ?? 'interrupted';
  const told = { ...drill, outcome, why: [...drill.why, why] };
  if (byPerson) return { drill: { ...entering(told, 'over', now), finishedAt: now }, order: 'end' };
  return { drill: entering(told, 'returning', now), order: 'recall' };
}

function over(drill: DrillRecord, now: number, missing: readonly string[]): DrillStep {
  const outcome = drill.outcome ?? (missing.length === 0 ? 'passed' : 'failed');
  const why = [...drill.why, ...missing];
  return { drill: { ...entering(drill, 'over', now), outcome, why, finishedAt: now }, order: 'end' };
}

function entering(drill: DrillRecord, phase: DrillRecord['phase'], now: number): DrillRecord {
  return { ...drill, phase, phaseSince: now };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 10_000) / 100} %`;
}
