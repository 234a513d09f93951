import type { ErrorCode, ErrorDetails, WireError } from './errors.ts';
import type { RoutingTable } from './routing-table.ts';
import type { GatewaySettings } from './settings.ts';
import type { DemandSignal, EjectionSignal, TrafficSignal } from './signals.ts';
import type { ConnectionCounters, NameCounters, QueueCounters, TargetCounters } from './traffic-counters.ts';

/** What crosses between controller and workers, relayed by the supervisor. Plain JSON. */
export type ToWorker =
  /** The first one starts it; any other is taken while it serves, and answered by `configured`. */
  | {
      readonly to: 'worker';
      readonly type: 'settings';
      readonly revision: string;
      readonly settings: GatewaySettings;
    }
  | { readonly to: 'worker'; readonly type: 'table'; readonly table: RoutingTable }
  /** The access log was moved away: what follows goes into a new file. */
  | { readonly to: 'worker'; readonly type: 'reopen-logs' }
  /** Another worker ejected an origin: do the same. */
  | { readonly to: 'worker'; readonly type: 'ejection'; readonly ejection: EjectionSignal }
  /** `patient`: others go on serving, so clients may take their time to leave. */
  | { readonly to: 'worker'; readonly type: 'stop'; readonly patient: boolean };

export type FromWorker =
  | {
      readonly to: 'controller';
      readonly type: 'ready';
      readonly worker: number;
      readonly tableVersion: number;
      /** Set when it has just started; a worker that is introduced to a new controller comes without. */
      readonly pid?: number;
    }
  /** It serves by the settings of this revision; with an error: it could not, and goes on as before. */
  | {
      readonly to: 'controller';
      readonly type: 'configured';
      readonly worker: number;
      readonly revision: string;
      readonly error?: WireError;
    }
  /** New requests follow this version from now on. */
  | { readonly to: 'controller'; readonly type: 'applied'; readonly worker: number; readonly version: number }
  /** No exchange that began under an earlier version still uses an origin which this version does not have. */
  | { readonly to: 'controller'; readonly type: 'drained'; readonly worker: number; readonly version: number }
  | {
      readonly to: 'controller';
      readonly type: 'traffic';
      readonly worker: number;
      readonly signals: readonly TrafficSignal[];
    }
  /** With `traffic`, where routes are told apart or something was shed. */
  | {
      readonly to: 'controller';
      readonly type: 'demand';
      readonly worker: number;
      readonly signals: readonly DemandSignal[];
    }
  | {
      readonly to: 'controller';
      readonly type: 'ejection';
      readonly worker: number;
      readonly ejection: EjectionSignal;
    }
  /** Every second, when they changed. */
  | {
      readonly to: 'controller';
      readonly type: 'counters';
      readonly worker: number;
      readonly counters: WorkerCounters;
    }
  | {
      readonly to: 'controller';
      readonly type: 'gone';
      readonly worker: number;
      readonly pid: number;
      /** `killed by SIGKILL`, `exited with code 1`. */
      readonly why: string;
    };

/** The supervisor's own words to a controller. */
export type FromSupervisor =
  /** The one before it died. */
  | {
      readonly to: 'controller';
      readonly type: 'predecessor-gone';
      readonly pid: number;
      readonly why: string;
      /** What that one had read when its configuration was last a good one. */
      readonly files: ConfigurationFiles | undefined;
    }
  /** SIGHUP: read the configuration again. */
  | { readonly to: 'controller'; readonly type: 'reload' }
  /** All is about to end: /readyz says so from now on. */
  | { readonly to: 'controller'; readonly type: 'stopping' };

/** Texts by absolute path. Passed from controller to controller in memory, never written anywhere: they hold secrets. */
export type ConfigurationFiles = Readonly<Record<string, string>>;

/** What one worker counted since it started; `active`, `upgrades` and others say how many there are right now. */
export interface WorkerCounters {
  /** Answers to clients by class; `aborted`: the client went away, or its answer had to be cut. */
  readonly requests: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'aborted', number>>;
  readonly replays: number;
  /** The same by `ReplayCause`. */
  readonly replaysBy: Readonly<Record<string, number>>;
  readonly evacuations: number;
  readonly refusedByBudget: number;
  readonly active: number;
  readonly upgrades: number;
  /** Requests by response flag (docs/operating.md); one may have several. */
  readonly flags: Readonly<Record<string, number>>;
  readonly targets: readonly TargetCounters[];
  readonly queue: QueueCounters;
  readonly names: NameCounters;
  readonly connections: ConnectionCounters;
}

/** What the supervisor itself is told. */
export type ToSupervisor =
  | { readonly to: 'supervisor'; readonly type: 'controller-ready'; readonly adminPort: number }
  /** What every worker shall serve by from now on, those that start later included. */
  | {
      readonly to: 'supervisor';
      readonly type: 'gateway';
      readonly revision: string;
      readonly settings: GatewaySettings;
    }
  /** To be given to the next controller, should this one die. */
  | { readonly to: 'supervisor'; readonly type: 'last-good'; readonly files: ConfigurationFiles }
  /** The worker's program runs and hears: what was sent before is lost. */
  | { readonly to: 'supervisor'; readonly type: 'worker-hears' }
  /** Again when it was told other settings. */
  | { readonly to: 'supervisor'; readonly type: 'worker-listening'; readonly ports: readonly number[] }
  | {
      readonly to: 'supervisor';
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details?: ErrorDetails;
    };
