import { concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { DrillRecord, DrillSettings } from '../core/drill.ts';
import type { Facts, TargetFacts } from '../core/facts.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Predicate } from '../core/predicate.ts';
import type { DrillSight } from './drill.ts';

/** Fewer attempts in the last ten seconds say nothing. */
const MIN_ATTEMPTS = 20;
const MAX_ERROR_RATIO = 0.01;
const SLOWER = 1.5;
/** At a few milliseconds half as much again is noise. */
const SLOWER_AT_LEAST_MS = 50;

/** What stands in the way of a drill that has not begun. `forceable` is what a person may decide otherwise. */
export interface Objection {
  readonly text: string;
  readonly forceable: boolean;
}

export type DrillPlan = Pick<DrillSettings, 'platform' | 'blockIf' | 'abortIf'>;

/** Everything that speaks against beginning now; empty: nothing does. */
export function objectionsTo(plan: DrillPlan, sight: DrillSight): readonly Objection[] {
  const { platform } = plan;
  const { facts, decision, state, policy, now } = sight;
  const others = facts.targets.filter((target) => target.platform !== platform);
  const hard: string[] = [];
  if (others.length === 0) return [{ text: `${facts.application} runs nowhere else`, forceable: false }];
  for (const target of facts.targets) {
    const { state: verdict, cause } = target.verdict;
    if (verdict !== 'up' && !isColdStandby(target)) hard.push(`${target.platform} is ${verdict}: ${cause}`);
    const membership = state.targets[target.platform]?.membership.kind;
    if (membership === 'held' || membership === 'ramping') hard.push(`${target.platform} is on its way back`);
  }
  if ((decision.shares[platform] ?? 0) === 0) hard.push(`${platform} has no traffic that could be moved`);
  if (!others.some((other) => canCarry(other, sight)))
    hard.push(`nobody else can serve ${facts.application}`);
  if (decision.mode !== 'normal') hard.push(`this is no time for it: ${decision.summary}`);
  if (decision.frozen !== undefined) hard.push(`automation is frozen: ${decision.frozen.why}`);
  if (facts.self?.egress === 'failing') hard.push('this machine is cut off itself');
  hard.push(...ordersInTheWay(facts, platform, now), ...commonObjections(sight));
  hard.push(...maintained(sight));
  for (const { window, deny } of policy.freeze ?? []) {
    if (deny.includes('drill') && window.isOpen(now)) hard.push(`no drills during ${window.text}`);
  }
  hard.push(...holding(plan.blockIf, platform, sight), ...tooManyErrors(facts.targets));
  hard.push(...holding(plan.abortIf, platform, sight));
  const soft: string[] = [];
  const coverage = decision.coverage?.[platform] ?? 0;
  // Rounding of a sum of parts is no lack of capacity.
  if (coverage < 0.9999) soft.push(`the others would carry ${Math.floor(coverage * 100)} % of the demand`);
  if (facts.data?.writes === 'single' && decision.writer?.platform === platform) {
    soft.push(`${platform} takes the writes: another writer would be promoted`);
  }
  return [
    ...hard.map((text) => ({ text, forceable: false })),
    ...soft.map((text) => ({ text, forceable: true })),
  ];
}

/** What got worse while the drill was under way; empty: nothing did. */
export function aborting(
  drill: DrillRecord,
  abortIf: readonly Predicate[],
  sight: DrillSight,
): readonly string[] {
  const { facts, decision, now } = sight;
  const others = facts.targets.filter((target) => target.platform !== drill.platform);
  const why: string[] = [];
  const holder = heldBy(facts, now);
  if (holder !== undefined) why.push(`${holder} ordered a hold`);
  for (const target of others) {
    const { state, cause } = target.verdict;
    if (!isWell(target, drill)) why.push(`${target.platform} is ${state}: ${cause}`);
  }
  if (decision.frozen !== undefined) why.push(`automation is frozen: ${decision.frozen.why}`);
  why.push(...tooManyErrors(others), ...tooSlow(others, drill.before.p95Ms), ...commonObjections(sight));
  why.push(...holding(abortIf, drill.platform, sight));
  return why;
}

/** Who or what of a higher class came in between. */
export interface Interruption {
  readonly why: string;
  readonly byPerson: boolean;
}

export function interrupting(drill: DrillRecord, sight: DrillSight): Interruption | undefined {
  const { facts, decision, now } = sight;
  const act = (facts.acts ?? []).find((one) => isInForce(one, now) && isAbove(one, facts, drill.startedAt));
  if (act !== undefined) {
    return { why: `${act.who} ordered ${act.kind} ${act.platform ?? ''}`.trimEnd(), byPerson: true };
  }
  if (!sight.isOrdered) return { why: 'its order was taken back', byPerson: true };
  const lost = facts.targets.find(({ verdict }) => verdict.state === 'down');
  if (lost !== undefined) return { why: `${lost.platform} is down: ${lost.verdict.cause}`, byPerson: false };
  const [maintenance] = maintained(sight);
  if (maintenance !== undefined) return { why: maintenance, byPerson: false };
  if (decision.mode !== 'normal') return { why: decision.summary, byPerson: false };
  return undefined;
}

/** A person's order that was given after the drill had begun; the break-glass file knows no moment. */
function isAbove(
  { drill, kind, platform, breakGlass, since }: OperatorAct,
  facts: Facts,
  startedAt: number,
): boolean {
  if (drill !== undefined || kind === 'hold') return false;
  if (platform !== undefined && !facts.targets.some((target) => target.platform === platform)) return false;
  return breakGlass === true || since >= startedAt;
}

function maintained({ policy, facts, state, now }: DrillSight): readonly string[] {
  return (policy.maintenance ?? [])
    .filter(({ platform, window, unless }) => {
      if (!facts.targets.some((target) => target.platform === platform) || !window.isOpen(now)) return false;
      return unless?.holds({ facts, state, platform, now }) !== true;
    })
    .map(({ platform, window }) => `maintenance of ${platform}: ${window.text}`);
}

/** The 95th percentile of what clients waited before: of all, or of the others, whichever is slower. */
export function baselineP95(targets: readonly TargetFacts[], platform: PlatformName): number {
  const others = targets.filter((target) => target.platform !== platform);
  return Math.max(p95Of(targets), p95Of(others));
}

/** Who ordered that nothing automatic moves. */
export function heldBy(facts: Facts, now: number): string | undefined {
  return facts.acts?.find((act) => act.kind === 'hold' && isInForce(act, now))?.who;
}

function ordersInTheWay(facts: Facts, platform: PlatformName, now: number): readonly string[] {
  return (facts.acts ?? [])
    .filter((act) => isInForce(act, now) && act.drill === undefined && isInTheWay(act, facts, platform))
    .map(({ who, kind, platform: on }) => `${who} ordered ${kind} ${on ?? 'of everything'}`);
}

const TAKES_OUT: ReadonlySet<OperatorAct['kind']> = new Set(['drain', 'fence', 'stop']);

function isInTheWay(act: OperatorAct, { application }: Facts, platform: PlatformName): boolean {
  if (act.breakGlass === true) return true;
  if (act.kind === 'hold' || act.kind === 'failover' || act.kind === 'failback') return true;
  return TAKES_OUT.has(act.kind) && concerns(act, application, platform);
}

function commonObjections({ facts, deployment }: DrillSight): readonly string[] {
  const found: string[] = [];
  if (deployment !== undefined) found.push(`deployment ${deployment} is under way`);
  if (facts.self?.state === 'lost') found.push('the state store does not answer');
  return found;
}

function canCarry({ platform, verdict }: TargetFacts, { decision }: DrillSight): boolean {
  const state = decision.targets[platform]?.state;
  return (
    (verdict.state === 'up' || verdict.state === 'degraded') && (state === 'active' || state === 'spare')
  );
}

/** Instances that were ordered meanwhile and are not there yet make nobody ill. */
function isWell(target: TargetFacts, { before }: DrillRecord): boolean {
  const { platform, verdict, instances, origins } = target;
  if (verdict.state === 'up' || isColdStandby(target)) return true;
  const had = before.instances[platform];
  if (verdict.state !== 'degraded' || had === undefined || instances === undefined) return false;
  const grows = instances.desired > had.desired && instances.running >= had.running;
  return grows && origins.every(({ state }) => state !== 'down');
}

/** Runs nothing until it is needed, so nothing is known of it either. */
function isColdStandby({ standby, verdict }: TargetFacts): boolean {
  return standby === 'cold' && verdict.state === 'unknown';
}

function tooManyErrors(targets: readonly TargetFacts[]): readonly string[] {
  let attempts = 0;
  let failed = 0;
  for (const { traffic } of targets) {
    attempts += traffic.attempts;
    failed += traffic.failed;
  }
  if (attempts < MIN_ATTEMPTS || failed / attempts <= MAX_ERROR_RATIO) return [];
  const percent = Math.round((failed / attempts) * 1000) / 10;
  return [`${percent} % of the requests of the last 10 s failed (${failed} of ${attempts})`];
}

function tooSlow(targets: readonly TargetFacts[], baselineMs: number): readonly string[] {
  const p95 = p95Of(targets);
  if (baselineMs === 0 || p95 <= Math.max(SLOWER * baselineMs, baselineMs + SLOWER_AT_LEAST_MS)) return [];
  return [`p95 is ${Math.round(p95)} ms, before it was ${Math.round(baselineMs)} ms`];
}

/** Of the last ten seconds, weighed by attempts; 0 when too little was asked. */
function p95Of(targets: readonly TargetFacts[]): number {
  let attempts = 0;
  let weighed = 0;
  for (const { traffic } of targets) {
    if (traffic.p95Ms === 0) continue;
    attempts += traffic.attempts;
    weighed += traffic.attempts * traffic.p95Ms;
  }
  return attempts < MIN_ATTEMPTS ? 0 : weighed / attempts;
}

function holding(
  conditions: readonly Predicate[],
  platform: PlatformName,
  { facts, state, now }: DrillSight,
): readonly string[] {
  return conditions.filter((one) => one.holds({ facts, state, platform, now })).map(({ text }) => text);
}
