import type { CredentialLife } from './credentials.ts';
import { type ErrorClass, hasClass, SluiceError, type WireError } from './errors.ts';
import type { ApplicationName, PlatformName, ReleaseId } from './ids.ts';
import type { ImageSpec } from './image.ts';
import type { PlatformEventsPage, PlatformEventsQuery } from './platform-events.ts';
import type { ApiBudgets, Clock, Dispose, Logger, Random } from './ports.ts';
import type { BundleFile, Release } from './release.ts';
import type { ServicePower } from './service-power.ts';
import type { ServiceSpec } from './services.ts';
import type { SwitchPower } from './switch-power.ts';
import type { TaskPower } from './task-power.ts';
import type { TransferPower } from './transfer-power.ts';

/**
 * The port every platform implements. A provider talks to ONE platform (endpoint, credentials, scope), holds no
 * state of its own beyond tokens, and finds everything it did before by the stamps it left on the platform.
 *
 * Every write is idempotent by (application, release, step). A write that the platform finishes later returns an
 * `Operation` whose handle the caller stores before the first `poll`, so that another process can go on with it.
 * Failures are `SluiceError`s made by `platformError(class, platform, …)`; a failed operation is an answer of
 * `poll`, not an exception.
 */
export interface PlatformProvider {
  readonly kind: string;
  readonly platform: PlatformName;
  /** Who are we there, may we log in, what can this endpoint do. */
  describe(context: ProviderContext): Promise<PlatformInfo>;
  /** One normalised read of everything we own for this application; no side effects. */
  observe(context: ProviderContext, application: ApplicationName): Promise<Observation>;
  /** The difference between wanted and observed, field by field; writes nothing. */
  plan(context: ProviderContext, want: TargetSpec, seen: Observation): Promise<readonly PlanChange[]>;
  /**
   * Make the release runnable there: upload, build, unpack. No traffic, nothing replaced. Without a bundle `want.image`
   * is what runs.
   */
  stage(context: ProviderContext, want: TargetSpec, bundle: Bundle | undefined): Promise<Operation>;
  /** Run the staged release beside or instead of the old one, with its configuration and route. */
  apply(context: ProviderContext, want: TargetSpec, artifact: StagedArtifact): Promise<Operation>;
  /** Change the number of instances of one process only. */
  scale(context: ProviderContext, application: ApplicationName, instances: number): Promise<Operation>;
  /** Remove what is left of one release that no longer serves, nor is tried. Retiring a release that is gone succeeds. */
  retire(context: ProviderContext, application: ApplicationName, release: ReleaseId): Promise<Operation>;
  /** Remove everything we own for this application. Destroying nothing succeeds. */
  destroy(context: ProviderContext, application: ApplicationName): Promise<Operation>;
  /** Where an operation stands; also in another process than the one that began it. */
  poll(context: ProviderContext, handle: OperationHandle): Promise<OperationStatus>;
  /** Release sockets and timers; idempotent. */
  close(): Promise<void>;

  /**
   * What can be known beforehand of whether the platform would take it: quotas, rights, a dry run. Writes nothing. What
   * cannot be found out is left out.
   */
  check?(context: ProviderContext, want: TargetSpec, seen: Observation): Promise<readonly PlanCheck[]>;
  /**
   * Where the platform tells of changes by itself: `changed` is called when something of the application may have become
   * another there, so that whoever waits need not ask by the clock. It tells nothing of what; that is asked for.
   */
  changes?(application: ApplicationName, changed: () => void): Dispose;
  /** Left out: the platform cannot run two releases side by side, and takes part in no canary. */
  readonly trial?: TrialPower;
  /** Left out: only web runs there. */
  readonly processes?: ProcessPower;
  /** Left out: services are given by their credentials only. */
  readonly services?: ServicePower;
  /** Left out: nothing is run there once. */
  readonly tasks?: TaskPower;
  /** Left out: what is built there stays there. */
  readonly transfer?: TransferPower;
  /** Left out: it cannot be stopped and started. */
  readonly power?: SwitchPower;
  /** What the application printed there, part after part. An application that is not there printed nothing. */
  logs?(context: ProviderContext, application: ApplicationName, query: LogsQuery): Promise<LogsPage>;
  /** What happened to it there. Left out: the platform tells nobody. */
  events?(
    context: ProviderContext,
    application: ApplicationName,
    query: PlatformEventsQuery,
  ): Promise<PlatformEventsPage>;
}

/**
 * A release beside the one that serves, reached by origins of its own: canaries and blue-green. What serves is not
 * touched, and the platform's own router sends nothing to a trial: only the gateway decides who meets it.
 */
export interface TrialPower {
  /** Starts it, or changes its size: `want.process.instances` is the trial's own. Repeating it changes nothing. */
  start(context: ProviderContext, want: TargetSpec, artifact: StagedArtifact): Promise<Operation>;
  /** Removes the trial with its route; what was staged stays. Ending one that is gone succeeds. */
  end(context: ProviderContext, application: ApplicationName, release: ReleaseId): Promise<Operation>;
}

/** Processes beside web: no route leads to them, and nobody asks them for their health. */
export interface ProcessPower {
  /**
   * Brings `want.processes` to the release, each stopped before it starts anew, and removes those that are not among
   * them. To be called once web serves the release. Repeating it changes nothing.
   */
  apply(context: ProviderContext, want: TargetSpec, artifact: StagedArtifact): Promise<Operation>;
  /** Says how many instances one of them has; how far it is, the next observation tells. */
  scale(
    context: ProviderContext,
    application: ApplicationName,
    process: string,
    instances: number,
  ): Promise<void>;
}

/** What a provider is made of; `options` is its platform's block of sluice.yaml, decoded. */
export interface ProviderDeps<Options> {
  readonly platform: PlatformName;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Shared with other platforms of the same account; left out: each has its own. */
  readonly budgets?: ApiBudgets;
}

export interface ProviderContext {
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Progress and build output for the person who waits; never secrets. */
  readonly log: (line: LogLine) => void;
}

export interface LogLine {
  readonly at: number;
  readonly source: 'build' | 'app' | 'platform' | 'router';
  readonly text: string;
  /** The instance that printed it, if any. */
  readonly instance?: string;
  /** The release it belongs to, where the platform tells. */
  readonly release?: ReleaseId;
}

/** Which part: the newest lines at first, then what came after a cursor. */
export interface LogsQuery {
  /** At most this many. */
  readonly lines: number;
  /** Epoch milliseconds; only of the first part. */
  readonly since?: number;
  /** The last part's; whoever has it neither meets a line twice nor misses one, over restarts of instances too. */
  readonly after?: string;
}

export interface LogsPage {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  readonly cursor: string;
  /** There is more already: ask again at once. */
  readonly more?: boolean;
  /** The platform no longer had all that came after the cursor. */
  readonly missed?: boolean;
}

/** What a person must know of an endpoint; discovered there, not assumed from the kind. */
export interface PlatformInfo {
  readonly kind: string;
  readonly apiVersion: string;
  readonly identity: string;
  readonly capabilities: {
    /** Both releases can serve at once on different origins. */
    readonly sideBySide: boolean;
    /** `must-match`: the platform routes by Host. */
    readonly hostHeader: 'any' | 'must-match';
  };
}

/** What shall run on one platform. Everything is resolved: no references, no defaults left to guess. */
export interface TargetSpec {
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  readonly release: Release;
  /** Left out: the release is files. */
  readonly image?: ImageSpec;
  /** What the previous release was called here, if one serves; providers may reuse its instances count. */
  readonly process: ProcessSpec;
  /** Beside web; left out: none. */
  readonly processes?: readonly OtherProcessSpec[];
  readonly services?: readonly ServiceSpec[];
  /** Complete environment, `SLUICE_RELEASE`, `SLUICE_APPLICATION` and `SLUICE_PLATFORM` included. Values may be secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly health: PlatformHealthSpec;
  /** Public host names the platform's own router must know (`publicHost: map`); its default route comes on top. */
  readonly hosts: readonly string[];
}

export interface ProcessSpec {
  /** Shell command; empty leaves it to the platform (e.g. package.json's start script). */
  readonly command: string;
  readonly instances: number;
  readonly memoryBytes: number;
}

/** No command may be empty here: the platform would not know another. */
export interface OtherProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly memoryBytes: number;
  /** Undefined: as many as there are, and none where it is new: whoever follows traffic decides. */
  readonly instances: number | undefined;
}

export interface PlatformHealthSpec {
  /** HTTP path that answers 200 when ready; undefined means: the port accepts a connection. */
  readonly path: string | undefined;
  /** How long a new instance may take until it is ready, milliseconds. */
  readonly startTimeoutMs: number;
}

/** The application's files. `open` may be called again after a failure: an upload must be repeatable. */
export interface Bundle {
  readonly digest: string;
  readonly files: readonly BundleFile[];
  readonly root: string;
  zip(): Promise<Buffer>;
  tarGz(): Promise<Buffer>;
}

/** What `stage` made, as the platform names it; stored in the journal and handed to `apply`. */
export interface StagedArtifact {
  /** Digest of the platform's artefact, if it tells one. */
  readonly digest?: string;
  readonly native: Readonly<Record<string, string>>;
}

export interface OperationHandle {
  readonly platform: PlatformName;
  readonly application: ApplicationName;
  readonly kind:
    | 'stage'
    | 'apply'
    | 'scale'
    | 'retire'
    | 'destroy'
    | 'trial'
    | 'endTrial'
    | 'processes'
    | 'services'
    | 'task'
    | 'stop'
    | 'start'
    | 'restart';
  /** The platform's ids for what was begun: enough to go on in another process. No secrets. */
  readonly native: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

export interface Operation {
  readonly handle: OperationHandle;
  /** Set when it was finished at once. */
  readonly done?: OperationStatus & { readonly state: 'succeeded' };
}

export type OperationStatus =
  | {
      readonly state: 'running';
      readonly message: string;
      readonly progress?: Progress;
      /** How long to wait before asking again; the platform's wish. */
      readonly retryAfterMs?: number;
      /** Set when the operation entered its next phase (package → build): store it before polling again. */
      readonly handle?: OperationHandle;
    }
  | { readonly state: 'succeeded'; readonly artifact?: StagedArtifact; readonly message?: string }
  | { readonly state: 'failed'; readonly error: WireError }
  /** The platform no longer knows the operation; observe to find out. */
  | { readonly state: 'lost'; readonly message: string };

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

export interface Observation {
  /** Epoch milliseconds of the read. */
  readonly at: number;
  /** Where it was read from a copy: nothing in it is older than this. Left out: it was as told at `at`. */
  readonly asOf?: number;
  /** Round trip of the read, milliseconds. */
  readonly apiLatencyMs: number;
  /** Does the application exist there at all. */
  readonly exists: boolean;
  /** Every release we find stamped there. */
  readonly releases: readonly ObservedRelease[];
  /** The release the platform's router sends to, as far as the platform knows. */
  readonly serving: ReleaseId | undefined;
  /** What instances that are started now would run, where none runs; left out: the platform does not say. */
  readonly standing?: ReleaseId;
  readonly instances: readonly ObservedInstance[];
  readonly desired: number;
  /** A release beside the one that serves; its instances are not among `instances`, nor in `desired`. */
  readonly trial?: ObservedTrial;
  /** Processes beside web, by name; left out: there are none. */
  readonly processes?: Readonly<Record<string, ObservedProcess>>;
  /** Left out: the platform's credentials do not end by themselves. */
  readonly credentials?: CredentialLife;
  /** Instances that quota still allows beside these; left out: the platform does not say. */
  readonly quotaHeadroom?: number;
  /** How the gateway reaches it. One for platforms with a router, one per instance where there is none. */
  readonly origins: readonly ObservedOrigin[];
  readonly env: Readonly<Record<string, string>>;
  /** Things in our scope that carry our name and not our stamp: reported, never touched. */
  readonly foreign: readonly string[];
}

export interface ObservedTrial {
  readonly release: ReleaseId;
  readonly instances: readonly ObservedInstance[];
  readonly desired: number;
}

export interface ObservedProcess {
  readonly desired: number;
  /** Instances that may be at work: those that come up and those that are on their way out included. */
  readonly running: number;
  /** What they are told to run; undefined: the platform does not say. */
  readonly release: ReleaseId | undefined;
  readonly command: string | undefined;
  readonly memoryBytes: number | undefined;
}

export interface ObservedRelease {
  readonly id: ReleaseId;
  readonly state: 'staged' | 'running' | 'retired';
}

export interface ObservedInstance {
  readonly id: string;
  readonly release: ReleaseId | undefined;
  readonly state: InstanceState;
  /** Only running and routable instances serve. `null`: the platform does not say. */
  readonly routable: boolean | null;
  readonly reason?: string;
  readonly restarts?: number;
  /** Share of one core: 0.5 is half a core. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
}

export type InstanceState =
  | 'pending'
  | 'starting'
  | 'running'
  | 'unhealthy'
  | 'crashed'
  | 'stopping'
  | 'stopped'
  | 'unknown';

export interface ObservedOrigin {
  /** `http://127.0.0.1:8080`; no path. */
  readonly url: string;
  /** The Host the platform routes by; undefined: the client's own Host is passed on. */
  readonly hostHeader: string | undefined;
  readonly sni?: string;
  /** PEM of authorities to trust here besides the well-known ones. No secret. */
  readonly ca?: string;
  /** Set where an origin is one instance of one release, and on a trial's origins. */
  readonly release?: ReleaseId;
  /** It belongs to a release that is being tried: no part of the platform's own share, verdict or capacity. */
  readonly trial?: true;
  readonly instance?: string;
}

/** What a plan prints of every environment value: a provider cannot know which of them are secret. */
export const SECRET_VALUE = '<secret>';

/** One line of `sluice plan`. Secret values never appear: `env.DB_URL` changes from `<secret>` to `<secret>`. */
export interface PlanChange {
  readonly action: 'create' | 'change' | 'none' | 'foreign';
  /** `instances`, `memory`, `env.LOG_LEVEL`, `route shop.apps.example.com`. */
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
  /** Something that serves is replaced or removed. */
  readonly destructive: boolean;
}

/** One thing that was looked at before a deployment. */
export interface PlanCheck {
  /** `memory of space dev`, `may create routes`. */
  readonly what: string;
  /** `needs 128Mi more; 960Mi of 1024Mi are left`. */
  readonly found: string;
  /** Set where the deployment would fail: why, and what to do. */
  readonly error?: WireError;
  /** A deployment would succeed; a person should know all the same. */
  readonly notice?: true;
}

/** Classes worth another try by the caller after the provider's own retries are used up. */
export const RETRYABLE: ReadonlySet<ErrorClass> = new Set(['rateLimited', 'unavailable', 'timeout']);

/** The platform refused it for good. Not so when we were only told to stop, or nobody knows what became of it. */
export function isFinal(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.class !== undefined && !hasClass(error, 'auth', ...RETRYABLE);
}
