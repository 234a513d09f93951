import { decide } from '../../policies/decide.ts';
import type { DeploySettings } from '../../src/core/deploy-settings.ts';
import type { DomainEvent, LoggedEvent } from '../../src/core/events.ts';
import { originId } from '../../src/core/ids.ts';
import type { EventLog } from '../../src/core/ports.ts';
import type { InstanceState } from '../../src/core/provider.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import {
  type ApplicationSettings,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
  type PlatformSettings,
  type PolicySettings,
  type RouteSettings,
  type TargetSettings,
} from '../../src/core/settings.ts';
import type { EjectionReason, TrafficCounts } from '../../src/core/signals.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { healthJudge } from '../../src/health/verdicts.ts';
import { emitter } from '../../src/lib/emitter.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';

export const APP = 'shop';
export const START = 1_800_000_000_000;

/** How a simulated platform behaves; change it at any time, the next probe and read see it. */
export interface SimulatedPlatform {
  path: 'ok' | 'refused' | 'frozen' | 'status 503';
  api: 'ok' | 'down';
  release: string | undefined;
  /** Instances that run, of `desired`. */
  running: number;
  desired: number;
  instanceState: InstanceState;
  /** One per platform behind a router, several where origins are instances. */
  urls: string[];
  /** Origins that refuse while the others do as `path` says. */
  broken: Set<string>;
  /** Each origin is an instance of this release. */
  pinned: boolean;
  /** A release beside, behind the same address. */
  trial: SimulatedTrial | undefined;
}

export interface SimulatedTrial {
  readonly release: string;
  path: SimulatedPlatform['path'];
  /** What it says it is. */
  answers: string;
}

export interface Scenario {
  readonly clock: VirtualClock;
  readonly engine: Engine;
  readonly events: LoggedEvent[];
  readonly tables: RoutingTable[];
  platform(name: string): SimulatedPlatform;
  shares(): Readonly<Record<string, number>>;
  verdict(platform: string): string;
  /** Milliseconds to advance; probes, reads and ticks happen meanwhile. */
  run(ms: number): void;
  /** The same configuration once more. */
  reconfigure(): void;
  eject(platform: string, reason: EjectionReason, forMs?: number, worker?: number): void;
  /** Demand by platform, as each worker's one-second windows will tell from now on. */
  traffic(rps: Readonly<Record<string, number>>, failing?: Readonly<Record<string, number>>): void;
  of<T extends DomainEvent['type']>(type: T): readonly Extract<LoggedEvent, { type: T }>[];
}

export interface ScenarioOptions {
  readonly targets: readonly (Partial<TargetSettings> & { readonly platform: string })[];
  readonly policy?: Partial<PolicySettings>;
  readonly lastTable?: RoutingTable;
  /** Health rules name the release in a header. */
  readonly proven?: boolean;
  readonly provider?: string;
  readonly deploy?: DeploySettings;
  readonly routes?: readonly RouteSettings[];
  /** Nothing is observed and nothing probed until `go`. */
  readonly blind?: boolean;
}

export function target(given: Partial<TargetSettings> & { readonly platform: string }): TargetSettings {
  return {
    tier: 1,
    weight: 1,
    instances: 2,
    env: {},
    capacityRpsPerInstance: undefined,
    capacityRps: undefined,
    ...given,
  };
}

export function application(
  targets: readonly TargetSettings[],
  given: Partial<ApplicationSettings> = {},
): ApplicationSettings {
  return {
    name: APP,
    source: undefined,
    process: { command: '', instances: 2, memoryBytes: 0 },
    env: {},
    secretEnv: [],
    health: DEFAULT_HEALTH,
    data: { writes: 'anywhere' },
    routes: [{ host: '*', path: '/', publicHost: 'map', retry: 'safe' }],
    targets,
    policy: DEFAULT_POLICY,
    startTimeoutMs: 60_000,
    ...given,
  };
}

/** The real engine, policy and judge over simulated platforms, on a virtual clock. */
export function scenario(options: ScenarioOptions): Scenario {
  const clock = virtualClock(START);
  const targets = options.targets.map(target);
  const health = { ...DEFAULT_HEALTH, release: options.proven ? { header: 'x-release' } : undefined };
  const policy: PolicySettings = { ...DEFAULT_POLICY, ...options.policy };
  const events: LoggedEvent[] = [];
  const applications = [
    application(targets, {
      health,
      policy,
      ...(options.deploy === undefined ? {} : { deploy: options.deploy }),
      ...(options.routes === undefined ? {} : { routes: options.routes }),
    }),
  ];
  const kinds = Object.fromEntries(
    targets.map((t) => [t.platform, platformSettings(t.platform, options.provider)]),
  );
  const engine = createEngine({
    applications,
    platforms: kinds,
    clock,
    logger: silent,
    events: eventLog(clock, events),
    decide,
    judge: healthJudge,
    ...(options.lastTable === undefined ? {} : { lastTable: options.lastTable }),
  });
  const tables: RoutingTable[] = [];
  engine.onTable((table) => tables.push(table));
  const platforms = new Map(targets.map((t, index) => [t.platform, simulated(index)]));
  let demand: Readonly<Record<string, number>> = {};
  let failing: Readonly<Record<string, number>> = {};

  function platform(name: string): SimulatedPlatform {
    const found = platforms.get(name);
    if (!found) throw new Error(`no platform ${name}`);
    return found;
  }

  function read(name: string): void {
    const { api, urls, release, running, desired, instanceState, pinned, trial } = platform(name);
    const at = clock.now();
    const common = { kind: 'platform', at, application: APP, platform: name } as const;
    if (api === 'down') {
      engine.accept({ ...common, observation: undefined, apiError: 'connection refused' });
      return;
    }
    engine.accept({
      ...common,
      observation: {
        at,
        apiLatencyMs: 5,
        exists: true,
        releases: [],
        serving: release,
        desired,
        instances: Array.from({ length: desired }, (_, index) => ({
          id: `${index}`,
          release,
          state: index < running ? ('running' as const) : instanceState,
          routable: null,
        })),
        ...(trial === undefined ? {} : { trial: { release: trial.release, instances: [], desired: 1 } }),
        origins: [
          ...urls.map((url) => ({
            url,
            hostHeader: `${APP}.${name}`,
            ...(pinned && release !== undefined ? { release } : {}),
          })),
          ...(trial === undefined
            ? []
            : [
                {
                  url: urls[0] ?? '',
                  hostHeader: `${APP}--${trial.release}.${name}`,
                  release: trial.release,
                  trial: true as const,
                },
              ]),
        ],
        env: {},
        foreign: [],
      },
    });
  }

  function probe(name: string): void {
    const { path, broken, release: own, trial } = platform(name);
    for (const watched of engine.watched.filter((w) => w.platform === name)) {
      const tried = watched.trial === undefined ? undefined : trial;
      const release = tried?.answers ?? own;
      const state = tried?.path ?? (broken.has(watched.url) ? 'refused' : path);
      const ok = state === 'ok';
      engine.accept({
        kind: 'probe',
        at: clock.now(),
        application: APP,
        platform: name,
        origin: originId(name, watched.url, watched.trial),
        probe: 'http',
        ok,
        detail: state === 'frozen' ? 'timeout' : state,
        latencyMs: state === 'frozen' ? 500 : 1,
        ...(ok && release !== undefined ? { release } : {}),
      });
    }
  }

  function tellTraffic(name: string): void {
    const rps = demand[name] ?? 0;
    const bad = failing[name] ?? 0;
    if (rps + bad === 0) return;
    const [url = ''] = platform(name).urls;
    engine.accept({
      kind: 'traffic',
      at: clock.now(),
      windowMs: 1_000,
      worker: 1,
      application: APP,
      platform: name,
      origin: originId(name, url),
      counts: counts({ ok: rps, status5xx: bad }),
      p50Ms: 5,
      p95Ms: 20,
      inFlight: 1,
    });
  }

  let begun = false;
  function begin(): void {
    begun = true;
    void engine.start();
    let offset = 0;
    for (const name of platforms.keys()) {
      offset += 70;
      clock.after(offset, () => {
        read(name);
        clock.every(2_000, () => read(name));
        // The engine gathers for a moment before it says what to probe.
        clock.after(50, () => {
          probe(name);
          clock.every(1_000, () => probe(name));
        });
        clock.every(1_000, () => tellTraffic(name));
      });
    }
  }

  return {
    clock,
    engine,
    events,
    tables,
    platform,
    shares: () => roundAll(sharesIn(engine.table)),
    verdict: (name) => engine.verdicts()[APP]?.[name]?.state ?? 'none',
    run(ms) {
      if (!begun) {
        if (options.blind) void engine.start();
        else begin();
        begun = true;
      }
      clock.advance(ms);
    },
    reconfigure: () => engine.reconfigure(applications, kinds),
    eject(name, reason, forMs = 5_000, worker = 1) {
      const at = clock.now();
      for (const url of platform(name).urls) {
        engine.accept({
          kind: 'ejection',
          at,
          worker,
          platform: name,
          origin: originId(name, url),
          reason,
          until: at + forMs,
        });
      }
    },
    traffic(rps, bad = {}) {
      demand = rps;
      failing = bad;
    },
    of(type) {
      return events.filter(
        (event): event is Extract<LoggedEvent, { type: typeof type }> => event.type === type,
      );
    },
  };
}

export function counts(given: Partial<TrafficCounts>): TrafficCounts {
  return { ok: 0, status5xx: 0, connect: 0, tls: 0, timeout: 0, reset: 0, aborted: 0, ...given };
}

export function sharesIn(table: RoutingTable): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const { platform, share } of table.routes[0]?.targets ?? [])
    shares[platform] = (shares[platform] ?? 0) + share;
  return shares;
}

function roundAll(shares: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(shares).map(([key, share]) => [key, Math.round(share * 1000) / 1000]),
  );
}

function simulated(index: number): SimulatedPlatform {
  return {
    path: 'ok',
    api: 'ok',
    release: 'r-0000000001',
    running: 2,
    desired: 2,
    instanceState: 'crashed',
    urls: [`http://127.0.0.${index + 1}:8080`],
    broken: new Set(),
    pinned: false,
    trial: undefined,
  };
}

function platformSettings(name: string, provider = 'cloudfoundry'): PlatformSettings {
  return { name, provider, options: {} };
}

export const silent = { debug() {}, info() {}, warn() {}, error() {} };

export function eventLog(clock: VirtualClock, kept: LoggedEvent[]): EventLog {
  const fired = emitter<LoggedEvent>();
  return {
    append(event) {
      const logged = { ...event, seq: kept.length + 1, at: clock.now() };
      kept.push(logged);
      fired.fire(logged);
      return logged;
    },
    since: (seq) => kept.filter((event) => event.seq > seq),
    onEvent: fired.event,
  };
}
