import type { OperatorAct } from './acts.ts';
import type { Attribution } from './attribution.ts';
import type { CredentialLife } from './credentials.ts';
import type { ErrorClass } from './errors.ts';
import type { ApplicationName, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { DataSettings } from './settings.ts';
import type { Verdict } from './verdict.ts';

/**
 * All that a policy may look at for one application, at one moment. Plain JSON: the same facts give the same
 * decision in the gateway, in a test and in a replay.
 */
export interface Facts {
  readonly application: ApplicationName;
  /** Requests per second, those that are shed included, last 10 s; 0 when nothing is known yet. */
  readonly demandRps: number;
  /** Releases that may serve; empty: any. Two of them while a rollout is under way. */
  readonly allowedReleases: readonly ReleaseId[];
  /** In the order of the configuration. */
  readonly targets: readonly TargetFacts[];
  /** What of the demand is for which route; left out where all routes are of the same priority. */
  readonly routes?: readonly RouteFacts[];
  /** Orders of people that are in force for this application. */
  readonly acts?: readonly OperatorAct[];
  /** What our own machine can reach: with nothing reachable it is us, not them. */
  readonly self?: SelfFacts;
  readonly attribution?: readonly Attribution[];
  /** Failed ÷ all requests in windows of several lengths, for error budgets; undefined below 20 requests. */
  readonly errorRatio?: Readonly<Record<'10s' | '60s' | '5m' | '30m' | '1h' | '6h', number | undefined>>;
  /** Where unsafe requests may go; undefined: anywhere. */
  readonly data?: DataSettings;
  /** The last epoch whose writer was promoted. */
  readonly promotedEpoch?: number;
  /** When the newest release went live anywhere, epoch milliseconds. */
  readonly releasedAt?: number;
}

export interface RouteFacts {
  readonly host: string;
  readonly path: string;
  /** Higher ones are served longer when there is no capacity for all. */
  readonly priority: number;
  /** Last 10 s. */
  readonly rps: number;
  /** Since a worker last told of it; undefined: none ever did. */
  readonly ageMs: number | undefined;
}

export interface SelfFacts {
  /** `failing`: nothing outside answers, whatever platform it belongs to. */
  readonly egress: 'ok' | 'failing' | 'unknown';
  /** The last decisions came late: this machine stood still. */
  readonly late: boolean;
  /** Does the state store answer: without it nothing automatic scales or fails back. */
  readonly state: 'ok' | 'lost';
}

export interface TargetFacts {
  readonly platform: PlatformName;
  /** 1 is tried first. */
  readonly tier: number;
  readonly weight: number;
  readonly verdict: Verdict;
  readonly origins: readonly OriginFacts[];
  /** Requests per second when every instance runs; undefined: unknown, then never a reason to spill. */
  readonly capacityRps: number | undefined;
  /** Part of that capacity which is there now: running ÷ desired instances, origins up ÷ origins; 0 to 1. */
  readonly availability: number;
  /** Part of its instances that are being replaced, 0 to 1: they come up or go, and are not counted on. */
  readonly exchanging?: number;
  /** `static` targets run what they run: no release is asked of them. */
  readonly releaseMatters: boolean;
  readonly traffic: TrafficFacts;
  /** That the platform has, staged or running; undefined: it does not say. */
  readonly releases?: readonly ReleaseId[];
  readonly signals?: TargetSignals;
  readonly standby?: 'hot' | 'warm' | 'pilot-light' | 'cold';
  /** It runs nothing until it is needed (`cold`): how many instances it would start then. */
  readonly asleep?: { readonly instances: number };
  /** Running now, wanted now, and how far scaling may go (quota and `maxInstances`). */
  readonly instances?: {
    readonly running: number;
    readonly desired: number;
    readonly max: number | undefined;
  };
  readonly rpsPerInstance?: number;
  readonly costPerInstanceHour?: number;
  /** Measured: from the order to scale until the instances served; undefined: never measured. */
  readonly timeToCapacityMs?: number;
}

/** Part of its capacity that can be counted on now. */
export function partThere({ availability, exchanging = 0 }: TargetFacts): number {
  return Math.min(availability, 1 - exchanging);
}

/** Everything observed of one target, each with its age; undefined is not known, and never a reason to act. */
export interface TargetSignals {
  readonly http?: ProbeFact;
  readonly tcp?: ProbeFact;
  /** A probe that goes deeper (database and all); advisory: it degrades, it never takes a target down. */
  readonly deep?: ProbeFact;
  readonly tls?: { readonly ok: boolean; readonly daysToExpiry: number | undefined; readonly ageMs: number };
  /** The platform's router itself, asked for a host it does not know: does it answer at all? */
  readonly control?: ProbeFact;
  /** What the router says in place of the application. */
  readonly routerError?: { readonly code: string; readonly ageMs: number };
  readonly platform?: {
    readonly apiReachable: boolean;
    readonly apiError?: string;
    /** `auth`, `rateLimited`, `unavailable`, …: how it failed us. */
    readonly apiFault?: ErrorClass;
    readonly desired: number;
    readonly running: number;
    readonly routable: number;
    readonly phase: 'absent' | 'starting' | 'running' | 'crashed' | 'stopped';
    /** Instances that quota still allows; undefined: the platform does not say. */
    readonly quotaHeadroom?: number;
    /** What we log in with there; left out: it does not end by itself. `hoursLeft` left out: nobody says. */
    readonly credentials?: Omit<CredentialLife, 'endsAt'> & { readonly hoursLeft?: number };
    readonly ageMs: number;
  };
  /** What its services lack or have otherwise than those of other platforms; undefined in it: they could not be read. */
  readonly services?: { readonly faults: readonly string[] | undefined; readonly ageMs: number };
  /** Failed attempts of the last 10 s by class; `own`: our fault (no connection of ours, our limits). */
  readonly errors?: Readonly<Record<'connect' | 'tls' | 'timeout' | 'reset' | 'status' | 'own', number>>;
  /** Milliseconds: peak EWMA (τ = 10 s) over the windows' medians, and the last median. */
  readonly latency?: { readonly ewmaMs: number; readonly p50Ms: number };
  /** Part of the last 21 checks that changed state, weighed as Nagios does; 0 to 1. */
  readonly flap?: number;
}

export interface ProbeFact {
  readonly ok: boolean;
  /** As in `ProbeSignal`. */
  readonly detail: string;
  readonly ageMs: number;
  readonly latencyMs: number;
}

export interface OriginFacts {
  readonly id: OriginId;
  readonly state: 'unknown' | 'up' | 'down';
  /** What the platform says this origin runs, where an origin is one instance. */
  readonly declared: ReleaseId | undefined;
  /**
   * Releases that answered the last successful probes, newest first; `undefined` in it is an answer that named
   * none. Empty when the health rule does not say where a release names itself, or nothing answered yet.
   */
  readonly answered: readonly (ReleaseId | undefined)[];
}

/** What workers saw of a target in the last 10 s. */
export interface TrafficFacts {
  readonly attempts: number;
  readonly failed: number;
  readonly rps: number;
  /** Milliseconds; 0 when nothing answered. */
  readonly p95Ms: number;
}
