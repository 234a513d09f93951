import type { Attribution } from './attribution.ts';
import type { Decision } from './decision.ts';
import type { DrillOf } from './drill.ts';
import type { Facts, ProbeFact, TrafficFacts } from './facts.ts';
import type { ApplicationName, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { DegradedSettings } from './policy-settings.ts';
import type { Observation } from './provider.ts';
import type { Readiness } from './readiness.ts';
import type { HealthSettings } from './settings.ts';
import type { EjectionSignal, ProbeSignal, TrafficSignal } from './signals.ts';

/** What we believe about a target. `unknown` is also what a stale fact turns into. */
export type VerdictState = 'unknown' | 'starting' | 'up' | 'degraded' | 'down';

export interface Verdict {
  readonly state: VerdictState;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** One short clause a person can read: `3 probes failed: refused`. */
  readonly cause: string;
  /** The facts behind it, most telling first. */
  readonly evidence: readonly string[];
  /** It answers, but slower or with more errors than the policy wants: its weight counts half. */
  readonly impaired?: { readonly since: number; readonly cause: string };
}

/** What one origin has shown so far. Plain JSON, replaced by every signal. */
export interface OriginHealth {
  readonly state: 'unknown' | 'up' | 'down';
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  readonly cause: string;
  /** It was up at least once. */
  readonly proven: boolean;
  /** Successful probes in a row, counted anew after each ejection. */
  readonly successes: number;
  /** Failed probes in a row. */
  readonly failures: number;
  readonly lastProbe: { readonly at: number; readonly ok: boolean; readonly detail: string } | undefined;
  /** Releases that answered the last successful probes, newest first, at most three. */
  readonly answered: readonly (ReleaseId | undefined)[];
  /** Workers that do not send to it now. */
  readonly ejections: readonly EjectionSignal[];
  /** Traffic of the last 10 s, oldest first. */
  readonly traffic: readonly TrafficSignal[];
}

/** What a target's verdict is made of. */
export interface TargetEvidence {
  readonly origins: readonly { readonly id: OriginId; readonly health: OriginHealth }[];
  /** The last observation that succeeded, however old. */
  readonly observation: Observation | undefined;
  /** Set while the platform API does not answer. Evidence for people; it never moves traffic. */
  readonly apiError: string | undefined;
  /** The last deep probe, while it is new enough to say something. */
  readonly deep?: ProbeFact;
  readonly traffic?: TrafficFacts;
  /** What the policy calls degraded. */
  readonly limits?: DegradedSettings;
}

/** From signals to verdicts, as pure functions; `src/health` has them, the engine is given them. */
export interface HealthJudge {
  newOrigin(now: number): OriginHealth;
  /** The origin after a signal that concerns it. */
  observe(origin: OriginHealth, signal: OriginSignal, rules: HealthSettings): OriginHealth;
  /** The origin after time alone has passed: old facts turn `unknown`, old traffic is dropped. */
  age(origin: OriginHealth, rules: HealthSettings, now: number): OriginHealth;
  judge(evidence: TargetEvidence, before: Verdict | undefined, now: number): Verdict;
  /** Whose fault it is, from all targets at once; `before` keeps since when. */
  attribute(facts: Facts, before: readonly Attribution[], now: number): readonly Attribution[];
  /** Would a failover succeed? Of each target. */
  readiness(facts: Facts, decision: Decision, drillOf?: DrillOf): Readonly<Record<PlatformName, Readiness>>;
}

export type OriginSignal = ProbeSignal | TrafficSignal | EjectionSignal;

/** An origin that is to be probed, with all a probe needs. */
export interface WatchedOrigin {
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  /** `http://127.0.0.1:8080`; no path. */
  readonly url: string;
  readonly hostHeader: string | undefined;
  readonly sni: string | undefined;
  readonly ca?: string;
  /** Its address is a router's, which tells applications apart by Host. */
  readonly behindRouter?: true;
  /** The release that is tried there. */
  readonly trial?: ReleaseId;
  readonly health: HealthSettings;
}
