import type { Attribution } from './attribution.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { DriftStatus } from './drift.ts';
import type { DrillStanding } from './drill.ts';
import type { LoggedEvent } from './events.ts';
import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';
import type { Intent } from './intent.ts';
import type { InstanceState } from './provider.ts';
import type { Readiness } from './readiness.ts';
import type { Verdict } from './verdict.ts';

/** `GET /v1/status`: all that `sluice status`, `sluice top` and the web page show. */
export interface StatusView {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly version: string;
  readonly tableVersion: number;
  readonly workers: { readonly wanted: number; readonly ready: number };
  readonly applications: readonly ApplicationStatus[];
  /** Undefined without a server: then there is only the file. */
  readonly configuration?: ConfigurationStatus;
  /** Newest last; decisions, verdicts, ejections. */
  readonly recent: readonly LoggedEvent[];
}

export interface ConfigurationStatus {
  /** Absolute; undefined for `serve --origin`. */
  readonly file: string | undefined;
  /** Since when what is in force is in force, epoch milliseconds. */
  readonly since: number;
  /** The last change that was not taken; gone once another one was. */
  readonly refused?: RefusedConfiguration;
}

export interface RefusedConfiguration {
  readonly at: number;
  readonly message: string;
  readonly where?: string;
  readonly why?: string;
  readonly remedy?: string;
  /** Every fault with its place; empty where it was not the file's fault. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ApplicationStatus {
  readonly name: ApplicationName;
  readonly release: { readonly id: ReleaseId; readonly number: number } | undefined;
  /** Requests per second, all platforms, last 10 s. */
  readonly demandRps: number;
  readonly platforms: readonly PlatformStatus[];
  /** Automation is frozen until a person looks: since when and why. */
  readonly frozen?: { readonly since: number; readonly why: string };
  /** Whose fault what is wrong is believed to be; left out: nothing is. */
  readonly attribution?: readonly Attribution[];
  /** What is wanted beside moving traffic; left out: nothing. */
  readonly intents?: readonly Intent[];
  /** For each platform: part of today's demand that the others would carry if it died now, 0 to 1. */
  readonly coverage?: Readonly<Record<PlatformName, number>>;
  /** Part of the requests that is answered 503 because there is no capacity for them, 0 to 1. */
  readonly shed?: number;
  /** Left out where all routes are of the same priority. */
  readonly routes?: readonly RouteStatus[];
  /** Left out: unsafe requests go where all go. */
  readonly writes?: WritesStatus;
}

/** What clients ask of one route, and what of it is refused for want of capacity. */
export interface RouteStatus {
  readonly host: string;
  readonly path: string;
  readonly priority: number;
  /** Requests per second, last 10 s, those that are shed included. */
  readonly rps: number;
  /** Part of them that is answered 503. */
  readonly shed: number;
}

export type WritesStatus =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'single';
      /** Undefined: nobody takes unsafe requests. */
      readonly writer: PlatformName | undefined;
      readonly epoch: number;
      /** Who becomes the writer once it is promoted. */
      readonly next?: PlatformName;
      readonly promotion?: PromotionStatus;
    };

/** `broken-off`: the process that promoted died meanwhile, and nobody knows how far it came. */
export interface PromotionStatus {
  readonly state: 'waiting' | 'running' | 'failed' | 'broken-off';
  readonly since: number;
  readonly why?: string;
  readonly remedy?: string;
}

/** An order to scale that is not fulfilled yet. */
export interface ScalingStatus {
  readonly to: number;
  /** `waiting`: for its turn; `growing`: ordered, not all instances serve yet; `refused`: by the platform. */
  readonly state: 'waiting' | 'growing' | 'refused';
  readonly since: number;
  readonly why?: string;
  /** Epoch milliseconds of the next try. */
  readonly retryAt?: number;
}

/** A process beside web on one platform. */
export interface ProcessStatus {
  readonly runOn: 'all' | 'active' | 'one';
  readonly desired: number;
  readonly running: number;
  /** It is to run here, and does not yet: why. */
  readonly waiting?: string;
}

/** What an application uses on a platform; a part is left out where no instance tells. */
export interface UsageStatus {
  /** Of one instance on average, as a share of one core. */
  readonly cpu?: number;
  /** Of all together. */
  readonly memoryBytes?: number;
  readonly restarts?: number;
}

export interface InstanceStatus {
  readonly id: string;
  readonly state: InstanceState;
  readonly release?: ReleaseId;
  readonly restarts?: number;
  /** Share of one core. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
  readonly reason?: string;
}

export interface PlatformStatus {
  readonly name: PlatformName;
  readonly provider: string;
  readonly tier: number;
  readonly verdict: Verdict;
  /** 0 to 1. */
  readonly share: number;
  readonly state: 'active' | 'spare' | 'draining' | 'off';
  /** Attempts per second in the last 10 s. */
  readonly rps: number;
  /** Failed attempts ÷ attempts in the last 10 s, 0 to 1. */
  readonly errorRate: number;
  readonly p95Ms: number;
  readonly instances: { readonly running: number; readonly desired: number } | undefined;
  /** Undefined until the platform was read. */
  readonly usage?: UsageStatus;
  /** One by one, as the platform names them. */
  readonly each?: readonly InstanceStatus[];
  readonly release: { readonly id: ReleaseId; readonly number?: number } | undefined;
  readonly api: { readonly reachable: boolean; readonly error?: string; readonly at: number } | undefined;
  /** Would a failover to it succeed? Undefined until something was decided. */
  readonly readiness?: Readiness;
  readonly ejectedOrigins: number;
  readonly origins: number;
  readonly scaling?: ScalingStatus;
  /** Left out where it is the only platform: there is nothing to drill. */
  readonly drill?: DrillStanding;
  /** A release that is tried there beside the one that serves. */
  readonly trial?: TrialStatus;
  /** Left out: not compared with what was deployed there. */
  readonly drift?: DriftStatus;
  /** Beside web, by name; left out: none. */
  readonly processes?: Readonly<Record<string, ProcessStatus>>;
  /** A person has stopped it there; whatever its verdict, that is why. */
  readonly stopped?: StoppedStatus;
  /** Measured when it was scaled last: from the order until all instances served, milliseconds. */
  readonly timeToCapacityMs?: number;
}

/** `emptying`: its traffic is still on its way elsewhere. */
export interface StoppedStatus {
  readonly since: number;
  readonly who: string;
  readonly reason: string;
  readonly emptying: boolean;
}

export interface TrialStatus {
  readonly release: { readonly id: ReleaseId; readonly number?: number };
  /** Of all requests, 0 to 1; it is counted in the platform's share. */
  readonly share: number;
  /** Why it gets nothing where it should; left out: it gets what it should. */
  readonly waits?: string;
  readonly rps: number;
  readonly errorRate: number;
  readonly p95Ms: number;
  readonly instances: { readonly running: number; readonly desired: number };
}

/** `GET /v1/explain/{application}`: facts → verdict → strategy → layers → safety, as lines. */
export interface Explanation {
  readonly application: ApplicationName;
  readonly at: number;
  readonly shares: Readonly<Record<PlatformName, number>>;
  /** One sentence: why traffic is where it is. */
  readonly summary: string;
  readonly steps: readonly ExplanationStep[];
}

export interface ExplanationStep {
  readonly stage:
    | 'attribution'
    | 'acts'
    | 'windows'
    | 'eligibility'
    | 'verdicts'
    | 'rules'
    | 'strategy'
    | 'capacity'
    | 'hold-down'
    | 'ramp'
    | 'pace'
    | 'panic'
    | 'shedding'
    | 'safety'
    | 'writes'
    | 'intents'
    | 'trials'
    | 'readiness';
  readonly lines: readonly string[];
}
