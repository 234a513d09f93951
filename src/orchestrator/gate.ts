import type { DeploySettings } from '../core/deploy-settings.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ReleaseOutcome } from '../core/traffic.ts';
import { formatRatio } from '../core/units.ts';

/** What became of a step so far. `watching`: neither good nor bad enough, or not long enough. */
export interface GateVerdict {
  readonly state: 'watching' | 'passed' | 'failed';
  /** One sentence with the numbers it rests on. */
  readonly message: string;
}

/**
 * A step is asked again and again while it runs, so a single unlucky sample must not end it: the error gate fails
 * only where chance would do the same in one of two hundred looks.
 */
const Z = 2.58;
/** Two failures can be the same bad request; three are a pattern. */
const MIN_FAILURES = 3;
/** A p95 of fewer requests than these is a matter of the slowest two. */
const MIN_FOR_LATENCY = 50;
/** Below this no client feels a difference, however many times it is. */
const LATENCY_SLACK_MS = 20;
/** So many times the allowed p95 need no waiting for the end of the step. */
const CLEARLY_SLOW = 2;

export interface StepSight {
  /** Since the step's part came into force. */
  readonly outcomes: readonly ReleaseOutcome[];
  /** What the old release did before it had to share: all that is known of it where it gets no traffic now. */
  readonly before: readonly ReleaseOutcome[];
  readonly watchedMs: number;
}

/** Is the new release as good as the old one? Judged on each platform and over all of them. Pure. */
export function judgeStep(sight: StepSight, settings: DeploySettings): GateVerdict {
  const trials = sight.outcomes.filter(({ trial }) => trial);
  const total = sum(trials);
  const old = sum([...sight.outcomes, ...sight.before].filter(({ trial }) => !trial));
  const pairs = trials.map((trial) => ({ trial, old: incumbentOf(trial.platform, sight) }));

  for (const { trial, old: own } of pairs) {
    const compared = own.requests > 0 ? own : old;
    if (isClearlyWorse(trial, compared, settings.gates.errorRate))
      return failed(`${trial.platform}: ${errorsOf(trial, compared, settings)}`);
    if (isSlower(trial, own, settings.gates.latency * CLEARLY_SLOW))
      return failed(`${trial.platform}: ${latencyOf(trial, own, settings)}`);
  }
  if (isClearlyWorse(total, old, settings.gates.errorRate)) return failed(errorsOf(total, old, settings));

  const message = [errorsOf(total, old, settings), ...latencies(pairs, settings)].join(', ');
  const enough = sight.watchedMs >= settings.everyMs && total.requests >= settings.minRequests;
  if (!enough) return { state: 'watching', message: `${message}${missing(sight, total, settings)}` };
  const slow = pairs.find(({ trial, old: own }) => isSlower(trial, own, settings.gates.latency));
  if (slow) return failed(`${slow.trial.platform}: ${latencyOf(slow.trial, slow.old, settings)}`);
  // Worse than allowed, and not yet surely so: more requests will tell.
  const excess = ratioOf(total) - ratioOf(old);
  if (excess > settings.gates.errorRate)
    return { state: 'watching', message: `${message}: too close to call` };
  return { state: 'passed', message };
}

interface Counts {
  readonly requests: number;
  readonly failed: number;
}

interface Incumbent extends Counts {
  readonly p95Ms: number | undefined;
  /** How many requests the p95 rests on. */
  readonly answered: number;
}

/** The old release on the same platform: now, or where it gets too little now, before. */
function incumbentOf(platform: PlatformName, { outcomes, before }: StepSight): Incumbent {
  const own = (list: readonly ReleaseOutcome[]) =>
    list.find((one) => !one.trial && one.platform === platform);
  const now = own(outcomes);
  const then = own(before);
  const counts = sum([now, then].filter((one) => one !== undefined));
  const latest = now !== undefined && now.requests >= MIN_FOR_LATENCY ? now : (then ?? now);
  return { ...counts, p95Ms: latest?.p95Ms, answered: latest?.requests ?? 0 };
}

function sum(outcomes: readonly Counts[]): Counts {
  let requests = 0;
  let failures = 0;
  for (const one of outcomes) {
    requests += one.requests;
    failures += one.failed;
  }
  return { requests, failed: failures };
}

/** Newcombe: the lower end of the interval for the difference of two shares, out of Wilson's for each. */
export function isClearlyWorse(trial: Counts, old: Counts, allowed: number): boolean {
  if (trial.failed < MIN_FAILURES) return false;
  const [p, q] = [ratioOf(trial), ratioOf(old)];
  const lower = p - wilson(trial).low;
  // Nothing known of the old one: only what the new one does for itself counts.
  const upper = old.requests === 0 ? 0 : wilson(old).high - q;
  return p - q - Math.hypot(lower, upper) > allowed;
}

function wilson({ failed: failures, requests: n }: Counts): { readonly low: number; readonly high: number } {
  const p = failures / n;
  const middle = p + Z ** 2 / (2 * n);
  const reach = Z * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { low: (middle - reach) / (1 + Z ** 2 / n), high: (middle + reach) / (1 + Z ** 2 / n) };
}

function isSlower(trial: ReleaseOutcome, old: Incumbent, factor: number): boolean {
  if (trial.p95Ms === undefined || old.p95Ms === undefined) return false;
  if (trial.requests < MIN_FOR_LATENCY || old.answered < MIN_FOR_LATENCY) return false;
  return trial.p95Ms > old.p95Ms * factor + LATENCY_SLACK_MS;
}

function ratioOf({ requests, failed: failures }: Counts): number {
  return requests === 0 ? 0 : failures / requests;
}

function failed(message: string): GateVerdict {
  return { state: 'failed', message };
}

function errorsOf(trial: Counts, old: Counts, { gates }: DeploySettings): string {
  const of = `${formatRatio(ratioOf(trial))} of ${trial.requests} requests failed`;
  return `${of} (old release ${formatRatio(ratioOf(old))}, at most ${formatRatio(gates.errorRate)} more)`;
}

function latencyOf(trial: ReleaseOutcome, old: Incumbent, { gates }: DeploySettings): string {
  const [now, was] = [trial.p95Ms ?? 0, old.p95Ms ?? 0].map((ms) => `${Math.round(ms)} ms`);
  return `p95 ${now} (old release ${was}, at most × ${gates.latency})`;
}

function latencies(
  pairs: readonly { readonly trial: ReleaseOutcome; readonly old: Incumbent }[],
  settings: DeploySettings,
): readonly string[] {
  return pairs
    .filter(({ trial, old }) => trial.p95Ms !== undefined && old.p95Ms !== undefined)
    .map(({ trial, old }) => `${trial.platform} ${latencyOf(trial, old, settings)}`);
}

function missing({ watchedMs }: StepSight, total: Counts, { everyMs, minRequests }: DeploySettings): string {
  const requests = minRequests - total.requests;
  const left = Math.ceil((everyMs - watchedMs) / 1000);
  const wants = [requests > 0 ? `${requests} requests` : '', left > 0 ? `${left} s` : ''].filter(Boolean);
  return wants.length === 0 ? '' : `; ${wants.join(' and ')} to go`;
}
