import type { AutoscaleSettings } from './autoscale.ts';
import type { DeploySettings } from './deploy-settings.ts';
import type { DriftSettings } from './drift.ts';
import type { DrillSettings } from './drill.ts';
import type { ApplicationName, PlatformName } from './ids.ts';
import type { ImageSpec } from './image.ts';
import type { LogDrainSettings } from './log-drain.ts';
import type {
  CostSettings,
  DegradedSettings,
  ErrorBudget,
  FlapSettings,
  FreezeWindow,
  MaintenanceWindow,
  PanicSettings,
  PolicyRule,
  PrimarySettings,
  SafetyRule,
  ScaleSettings,
  StickinessSettings,
} from './policy-settings.ts';
import type { ComparedService } from './service-equality.ts';
import type { ServiceSettings } from './services.ts';
import type { JobSettings, TaskSettings } from './task-settings.ts';
import type { Window } from './window.ts';

/**
 * What `sluice.yaml` means once decoded: everything resolved, every default filled in, durations in milliseconds,
 * sizes in bytes, rates per second. `src/config` makes it; nobody else reads YAML.
 */
export interface Settings {
  /** Absolute path of the file, or undefined for `serve --origin`. */
  readonly file: string | undefined;
  readonly platforms: Readonly<Record<PlatformName, PlatformSettings>>;
  readonly applications: Readonly<Record<ApplicationName, ApplicationSettings>>;
  readonly gateway: GatewaySettings;
  readonly state: StateSettings;
  /** Every secret value in the file: nothing we print may contain one. */
  readonly secrets: readonly string[];
  /** What each `${…}` stood for, so that a printed configuration can say where a value came from. */
  readonly references?: readonly { readonly from: string; readonly value: string }[];
}

export interface PlatformSettings {
  readonly name: PlatformName;
  /** `cloudfoundry`, `openshift`, `selfhosted`, `static`. */
  readonly provider: string;
  /** Decoded by the provider's own zod schema (`providers/<kind>/config.ts`); only that provider looks inside. */
  readonly options: unknown;
}

export interface ApplicationSettings {
  readonly name: ApplicationName;
  /** Undefined for an image, and for an application that only has `static` targets. */
  readonly source: SourceSettings | undefined;
  readonly image?: ImageSpec;
  readonly process: { readonly command: string; readonly instances: number; readonly memoryBytes: number };
  /** Beside web; left out: none. */
  readonly processes?: readonly OtherProcess[];
  /** Processes that run by the clock; left out: none. */
  readonly jobs?: readonly JobSettings[];
  /** Commands that run once; left out: none. */
  readonly tasks?: readonly TaskSettings[];
  /** Those that platforms must be asked for; left out: none. */
  readonly services?: readonly ServiceSettings[];
  /** Those that several platforms have, with what the file gives of them; left out: none. */
  readonly comparedServices?: readonly ComparedService[];
  readonly env: Readonly<Record<string, string>>;
  /** Keys of `env` (and of the targets' `env`) whose value came from `${…}`. */
  readonly secretEnv: readonly string[];
  readonly health: HealthSettings;
  readonly data: DataSettings;
  readonly routes: readonly RouteSettings[];
  readonly targets: readonly TargetSettings[];
  readonly policy: PolicySettings;
  /** How long a new instance may take until it is ready. */
  readonly startTimeoutMs: number;
  /** Left out: `DEFAULT_DEPLOY`. */
  readonly deploy?: DeploySettings;
  readonly drills?: readonly DrillSettings[];
  /** Left out: what differs is reported. */
  readonly drift?: DriftSettings;
  readonly autoscale?: AutoscaleSettings;
  readonly logDrain?: LogDrainSettings;
}

/** A process beside web, such as a worker. */
export interface OtherProcess {
  readonly name: string;
  readonly command: string;
  readonly instances: number;
  readonly memoryBytes: number;
  /** `all` targets; those that are `active`, which the gateway sends to; exactly `one` of those, the first in order. */
  readonly runOn: 'all' | 'active' | 'one';
  /** With `one`: how long a platform that does not answer may still be running it, before another starts it. */
  readonly takeOverMs: number;
}

/** Where unsafe requests may go. `single`: to the writer only; `promote` is a command that runs before the writer moves. */
export type DataSettings =
  | { readonly writes: 'anywhere' }
  | { readonly writes: 'none' }
  | {
      readonly writes: 'single';
      /** Who begins; afterwards whoever was promoted last. */
      readonly writer: PlatformName;
      readonly promote?: string;
      readonly promoteTimeoutMs?: number;
    };

export type SourceSettings =
  /** Absolute; a folder, an archive or a program: that is found out when it is packed. */
  { readonly kind: 'path'; readonly path: string } | GitSource;

export interface GitSource {
  readonly kind: 'git';
  /** An address, or the absolute path of a folder in a repository. */
  readonly repository: string;
  readonly remote: boolean;
  /** A branch, a tag or a commit. */
  readonly ref: string;
  /** From the top of the repository; undefined: the folder named, or all of it. */
  readonly path: string | undefined;
}

export interface HealthSettings {
  /** Undefined: TCP probe only. */
  readonly path: string | undefined;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
  /** Expected status; default 200 to 399. */
  readonly status: { readonly from: number; readonly to: number };
  /** Where the answering release names itself. */
  readonly release: { readonly header: string } | { readonly json: string } | undefined;
  /** What the body must hold: a text, or something that a regular expression finds. */
  readonly body?: { readonly contains: string } | { readonly matches: string };
  /** Sent with every probe of a path, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Advisory: a target that fails it is degraded, never down. */
  readonly deep?: { readonly path: string; readonly everyMs: number; readonly timeoutMs: number };
}

export interface RouteSettings {
  /** Lower case; `*` when the application takes every host. */
  readonly host: string;
  readonly path: string;
  readonly publicHost: 'map' | 'rewrite';
  readonly retry: 'safe' | 'idempotent';
  /** A client stays on the platform that served it first, as long as that one can serve. */
  readonly affinity?: boolean;
  readonly rateLimit?: RateLimit;
  /** Left out: 0. When there is no capacity for all, requests of the lower ones are refused first. */
  readonly priority?: number;
}

/** A token bucket for each client; held by each worker, divided by their number. */
export interface RateLimit {
  /** Requests per second, and how many may come at once. */
  readonly rps: number;
  readonly burst: number;
  /** What makes two requests the same client's: its address, or the value of a field (lower case). */
  readonly by: 'address' | { readonly field: string };
}

export interface TargetSettings {
  readonly platform: PlatformName;
  /** 1 is tried first. */
  readonly tier: number;
  readonly weight: number;
  readonly instances: number;
  /** Takes what that platform has built instead of building; both are of one kind. */
  readonly buildOn?: PlatformName;
  /** Of web there; left out: the application's. */
  readonly command?: string;
  readonly memoryBytes?: number;
  readonly env: Readonly<Record<string, string>>;
  /** Requests per second one instance carries; undefined: unknown, then never a reason to spill. */
  readonly capacityRpsPerInstance: number | undefined;
  /** Requests per second of the whole target where instances are not known (`static`). */
  readonly capacityRps: number | undefined;
  /** `hot` serves all the time, `warm` runs and waits, `pilot-light` runs few and grows, `cold` runs nothing. */
  readonly standby?: 'hot' | 'warm' | 'pilot-light' | 'cold';
  /** With `cold`, whose `instances` are 0: how many it starts when it is needed. */
  readonly wakesTo?: number;
  /** How far scaling may go. */
  readonly maxInstances?: number;
  /** Money for one instance-hour, in any one currency. */
  readonly costPerInstanceHour?: number;
}

/** A strategy and its layers; presets in config/policies are values of this. What is left out has the design's default. */
export interface PolicySettings {
  readonly name: string;
  readonly strategy: 'tiered' | 'primary' | 'weighted' | 'lowest-latency';
  readonly primary?: PrimarySettings;
  readonly overprovision: number;
  readonly holdDown: { readonly baseMs: number; readonly maxMs: number };
  readonly ramp: { readonly steps: readonly number[]; readonly everyMs: number };
  readonly failback: 'auto' | 'manual' | 'never' | 'scheduled';
  /** For `scheduled`: who waits returns while it is open. */
  readonly failbackWindow?: Window;
  readonly flap?: FlapSettings;
  readonly panic?: PanicSettings;
  /** More than all can carry: sent all the same, or answered 503. */
  readonly overload?: 'send' | 'shed';
  readonly maintenance?: readonly MaintenanceWindow[];
  readonly freeze?: readonly FreezeWindow[];
  /** Part of all traffic that may move voluntarily within a minute, 0 to 1. */
  readonly maxShiftPerMinute?: number;
  /** Between two automatic failovers; never keeps traffic on a target that is down. */
  readonly minDelayMs?: number;
  /** Beyond it automation freezes and calls for a person. */
  readonly maxFailoversPerHour?: number;
  readonly rules?: readonly PolicyRule[];
  readonly safety?: readonly SafetyRule[];
  readonly budget?: ErrorBudget;
  readonly cost?: CostSettings;
  readonly scale?: ScaleSettings;
  readonly degraded?: DegradedSettings;
  /** Left out: clients stay for ten minutes of a drain, and wherever they are served. */
  readonly stickiness?: StickinessSettings;
}

/** How long clients with a session may stay on a platform that is drained, where no policy says otherwise. */
export const SESSION_DRAIN_MS = 600_000;

export interface GatewaySettings {
  /** `fast`: our own HTTP/1.1 on bytes; `compat`: node:http and undici, the fallback. */
  readonly wire: 'fast' | 'compat';
  readonly workers: number;
  readonly listen: readonly ListenSettings[];
  readonly admin: AdminSettings;
  readonly limits: LimitSettings;
  readonly timeouts: TimeoutSettings;
  readonly retryBudget: { readonly ratio: number; readonly min: number };
  readonly stall: { readonly floorMs: number; readonly p99Factor: number; readonly probeMs: number };
  readonly ejection: {
    readonly consecutive: number;
    readonly failureRatio: number;
    readonly minRequests: number;
    readonly windowMs: number;
    readonly baseMs: number;
    readonly maxMs: number;
  };
  /** CIDRs whose X-Forwarded-* we believe. */
  readonly trustedProxies: readonly string[];
  readonly http2: Http2Settings;
  /** Base64 of 48 bytes that encrypt TLS session tickets; equal in all workers. Left out: by chance. */
  readonly ticketKeys?: string;
  /** Signs the affinity cookie; equal on all replicas. */
  readonly affinityKey?: string;
  readonly accessLog?: AccessLogSettings;
  /** Pages for what the gateway answers itself. Left out: short texts. */
  readonly outage?: readonly OutagePage[];
  /** How to speak TLS to the origins of a platform. Here and not in the table, because the table is kept on disk. */
  readonly upstreamTls?: Readonly<Record<PlatformName, UpstreamTls>>;
}

export interface OutagePage {
  /** Left out: of all that have none of their own. */
  readonly application?: ApplicationName;
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  readonly text: string;
}

export interface ListenSettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Left out: plain text. The first certificate serves clients whose SNI matches none. */
  readonly tls?: readonly CertificateSettings[];
  /** With TLS: offered by ALPN (default true); without: prior knowledge is accepted (default false). */
  readonly http2?: boolean;
}

/** PEM texts and where they came from: a changed file is a changed configuration. */
export interface CertificateSettings {
  readonly cert: string;
  readonly key: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface UpstreamTls {
  /** Shown to origins that ask for one. */
  readonly client?: CertificateSettings;
  /** Only by name, and with a warning at every start. */
  readonly insecureSkipVerify?: boolean;
}

/** Limits of one HTTP/2 connection; rates are per second, and beyond them the socket is closed. */
export interface Http2Settings {
  readonly maxConcurrentStreams: number;
  /** Streams that clients reset, and empty or CONTINUATION, PING and SETTINGS frames. */
  readonly resetsPerSecond: number;
  readonly controlFramesPerSecond: number;
  readonly headerListBytes: number;
}

export interface AccessLogSettings {
  readonly format: 'json' | 'combined';
  /** Absolute path, or `-` for stdout. */
  readonly file: string;
}

export interface AdminSettings {
  readonly host: string;
  readonly port: number;
  readonly tokens: Readonly<
    Record<string, { readonly token: string; readonly role: 'read' | 'operate' | 'admin' }>
  >;
}

export interface LimitSettings {
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Bodies up to this size can be sent again. */
  readonly replayBytes: number;
  /** Concurrent requests per origin, over all workers. */
  readonly perOrigin: number;
  /** Requests that may wait for a place at an origin, over all workers; 0: none waits. */
  readonly queue: number;
  /** Request target (414) and number of fields (431). */
  readonly targetBytes: number;
  readonly fields: number;
  /** Connections of one client address, over all workers; 0: any number. Trusted proxies are free. */
  readonly perAddress: number;
  /** Requests on one client connection before it is told to close; 0: any number. */
  readonly perConnection: number;
  /** Bytes a second that a request head or body must make on average once it is 5 s old; 0: any. */
  readonly minRate: number;
}

export interface TimeoutSettings {
  readonly connectMs: number;
  /** Request sent → response head. */
  readonly headMs: number;
  /** No byte either way. */
  readonly idleMs: number;
  /** Idle keep-alive connections to a platform; shorter than the platforms' own. */
  readonly upstreamKeepAliveMs: number;
  /** Idle keep-alive connections of clients. */
  readonly clientKeepAliveMs: number;
  readonly drainMs: number;
  /** Told to stop: how long to go on as before while /readyz says 503 already. */
  readonly stopDelayMs: number;
  /** First byte of a request → its whole head. */
  readonly headerMs: number;
  /** In the queue of a busy origin. */
  readonly queueMs: number;
  /** Lifetime of an upgraded connection; 0: any. */
  readonly upgradeMs: number;
  /** How long a name's addresses are believed. */
  readonly dnsMs: number;
}

export interface StateSettings {
  /** Absolute. */
  readonly dir: string;
}

export const DEFAULT_GATEWAY: GatewaySettings = {
  wire: 'fast',
  workers: 1,
  listen: [{ host: '0.0.0.0', port: 8080 }],
  admin: { host: '127.0.0.1', port: 9901, tokens: {} },
  limits: {
    headBytes: 16_384,
    bodyBytes: 1_073_741_824,
    replayBytes: 65_536,
    perOrigin: 1024,
    queue: 256,
    targetBytes: 8_192,
    fields: 100,
    perAddress: 0,
    perConnection: 0,
    minRate: 240,
  },
  timeouts: {
    connectMs: 2_000,
    headMs: 30_000,
    idleMs: 60_000,
    upstreamKeepAliveMs: 4_000,
    clientKeepAliveMs: 60_000,
    drainMs: 10_000,
    stopDelayMs: 100,
    headerMs: 10_000,
    queueMs: 1_000,
    upgradeMs: 0,
    dnsMs: 30_000,
  },
  retryBudget: { ratio: 0.2, min: 3 },
  stall: { floorMs: 200, p99Factor: 4, probeMs: 150 },
  ejection: {
    consecutive: 5,
    failureRatio: 0.5,
    minRequests: 20,
    windowMs: 10_000,
    baseMs: 5_000,
    maxMs: 300_000,
  },
  trustedProxies: [],
  http2: {
    maxConcurrentStreams: 128,
    resetsPerSecond: 50,
    controlFramesPerSecond: 200,
    headerListBytes: 65_536,
  },
};

/** An empty command leaves it to the platform: package.json's start script, a Procfile. */
export const DEFAULT_PROCESS: ApplicationSettings['process'] = {
  command: '',
  instances: 1,
  memoryBytes: 268_435_456,
};

export const DEFAULT_TAKE_OVER_MS = 120_000;

export const DEFAULT_START_TIMEOUT_MS = 60_000;

export const DEFAULT_HEALTH: HealthSettings = {
  path: '/',
  everyMs: 1_000,
  timeoutMs: 500,
  fall: 3,
  rise: 2,
  status: { from: 200, to: 399 },
  release: undefined,
};

export const DEFAULT_POLICY: PolicySettings = {
  name: 'active-active',
  strategy: 'tiered',
  overprovision: 1.4,
  holdDown: { baseMs: 60_000, maxMs: 900_000 },
  ramp: { steps: [0.01, 0.05, 0.25, 0.5, 1], everyMs: 30_000 },
  failback: 'auto',
};
