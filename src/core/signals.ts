import type { ErrorClass } from './errors.ts';
import type { ApplicationName, OriginId, PlatformName, ReleaseId } from './ids.ts';
import type { Observation } from './provider.ts';

/** One observation: a fact with a time, never a verdict. */
export type Signal =
  | ProbeSignal
  | TrafficSignal
  | DemandSignal
  | PlatformSignal
  | EjectionSignal
  | SelfSignal
  | ServicesSignal;

export interface ProbeSignal {
  readonly kind: 'probe';
  readonly at: number;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  readonly origin: OriginId;
  readonly probe: ProbeKind;
  readonly ok: boolean;
  /** `refused`, `timeout`, `status 503`, `router unknown_route`, …; `ok` when ok. */
  readonly detail: string;
  readonly latencyMs: number;
  /** The release that answered, where the health rule names the place. */
  readonly release?: ReleaseId;
  /** Days until the certificate that was shown expires; negative when it has. */
  readonly certificateDays?: number;
}

/**
 * `http` and `tcp` say whether an origin serves. `deep` goes further than the health path, and `control` asks the
 * platform's router for a host that it cannot know: both are evidence and never take a target down.
 */
export type ProbeKind = 'http' | 'tcp' | 'deep' | 'control';

/** What this machine can reach at all, by all that is known of all platforms. */
export interface SelfSignal {
  readonly kind: 'self';
  readonly at: number;
  readonly egress: 'ok' | 'failing';
  readonly detail: string;
}

/** What one worker's traffic did on one origin in one window. */
export interface TrafficSignal {
  readonly kind: 'traffic';
  readonly at: number;
  readonly windowMs: number;
  readonly worker: number;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  readonly origin: OriginId;
  readonly counts: TrafficCounts;
  /** Milliseconds to the response head; 0 when nothing answered. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly inFlight: number;
  /** Set where the route asks for it. */
  readonly compared?: ComparedTraffic;
}

/** What clients asked of one worker in one window, before anything was refused for want of capacity. */
export interface DemandSignal {
  readonly kind: 'demand';
  readonly at: number;
  readonly windowMs: number;
  readonly worker: number;
  readonly application: ApplicationName;
  /** Those that anybody asked for. */
  readonly routes: readonly {
    readonly host: string;
    readonly path: string;
    readonly requests: number;
    /** Of these: answered 503 because there was no capacity for them. */
    readonly shed: number;
  }[];
}

/** What a trial is judged by: first attempts, without those that clients broke off. */
export interface ComparedTraffic {
  readonly release: ReleaseId | undefined;
  readonly trial: boolean;
  readonly requests: number;
  /** No answer, or a status from 500 up, the application's own included. */
  readonly failed: number;
  /** Latencies to the response head, as `Histogram` tells them in pairs. */
  readonly heads: readonly number[];
}

/** Attempts by how they ended. A reset of a reused connection that was replayed counts nowhere. */
export interface TrafficCounts {
  readonly ok: number;
  readonly status5xx: number;
  readonly connect: number;
  readonly tls: number;
  readonly timeout: number;
  readonly reset: number;
  /** The client went away; says nothing of the origin. */
  readonly aborted: number;
}

export interface PlatformSignal {
  readonly kind: 'platform';
  readonly at: number;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  /** `undefined` when the API did not answer; that alone never moves traffic. */
  readonly observation: Observation | undefined;
  readonly apiError?: string;
  /** What kind of error it was: an API that refuses us did answer. */
  readonly apiFault?: ErrorClass;
}

/** What a platform's services hand out, compared with what those of the other platforms do. */
export interface ServicesSignal {
  readonly kind: 'services';
  readonly at: number;
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  /** In words, without any value; undefined: they could not be read. */
  readonly faults: readonly string[] | undefined;
}

/** A worker ejected an origin on its own, or let it back in on trial. */
export interface EjectionSignal {
  readonly kind: 'ejection';
  readonly at: number;
  readonly worker: number;
  readonly platform: PlatformName;
  readonly origin: OriginId;
  /** Set when only this application is concerned: an address (a platform's router) may serve several. */
  readonly application?: ApplicationName;
  /** Set with `application`, where the target has one: another release behind the same router goes on. */
  readonly release?: ReleaseId;
  /** Set when the origin is a name: which of its addresses is concerned. */
  readonly address?: string;
  /** Other addresses of the origin still serve there: the origin itself is not out. */
  readonly partly?: true;
  /** How often lately, this time included: who hears of it goes on counting from here. */
  readonly times?: number;
  readonly reason: EjectionReason;
  /** Epoch milliseconds; equal to `at` when the origin was let back in. */
  readonly until: number;
}

export type EjectionReason =
  | 'refused'
  | 'connect-reset'
  | 'connect-timeout'
  | 'tls'
  | 'consecutive-failures'
  | 'failure-rate'
  | 'stall'
  | 'readmitted';
