import type { Diagnostic } from './diagnostics.ts';
import type { LoggedEvent } from './events.ts';
import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';
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
  readonly release: { readonly id: ReleaseId; readonly number?: number } | undefined;
  readonly api: { readonly reachable: boolean; readonly error?: string; readonly at: number } | undefined;
  readonly ejectedOrigins: number;
  readonly origins: number;
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
    | 'safety'
    | 'writes'
    | 'intents';
  readonly lines: readonly string[];
}
