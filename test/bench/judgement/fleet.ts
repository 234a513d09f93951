import { decide } from '../../../policies/decide.ts';
import type { DomainEvent } from '../../../src/core/events.ts';
import type { Decide } from '../../../src/core/policy.ts';
import type { Clock, EventLog } from '../../../src/core/ports.ts';
import type { Observation } from '../../../src/core/provider.ts';
import {
  type ApplicationSettings,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
  DEFAULT_PROCESS,
  DEFAULT_START_TIMEOUT_MS,
  type HealthSettings,
  type PlatformSettings,
} from '../../../src/core/settings.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EngineTarget } from '../../../src/engine/targets.ts';
import { healthJudge } from '../../../src/health/verdicts.ts';
import { emitter } from '../../../src/lib/emitter.ts';
import { silentLogger } from '../../../src/observe/logger.ts';

/** Applications on platforms, each application on each platform. */
export interface FleetSize {
  readonly applications: number;
  readonly platforms: number;
}

export interface Fleet {
  readonly engine: Engine;
  readonly events: DomainEvent['type'][];
}

export interface FleetOptions extends FleetSize {
  readonly clock: Clock;
  readonly health?: HealthSettings;
  readonly decide?: Decide;
  /** Where an application is reached on a platform. */
  readonly url: (application: number, platform: number) => string;
}

/** The engine, policy and judge of production, knowing where everything is and not yet how it is. */
export function createFleet(options: FleetOptions): Fleet {
  const names = Array.from({ length: options.platforms }, (_, i) => platformName(i));
  const events: DomainEvent['type'][] = [];
  const engine = createEngine({
    applications: Array.from({ length: options.applications }, (_, i) => applicationOf(i, options)),
    platforms: Object.fromEntries(names.map((name) => [name, platformOf(name)])),
    clock: options.clock,
    logger: silentLogger,
    events: countingLog(options.clock, events),
    decide: options.decide ?? decide,
    judge: healthJudge,
  });
  for (let application = 0; application < options.applications; application++) {
    const targets = names.map((platform, i) => targetOf(platform, options.url(application, i), application));
    engine.setTargets(applicationName(application), targets);
  }
  return { engine, events };
}

export function applicationName(index: number): string {
  return `app-${index}`;
}

export function platformName(index: number): string {
  return `platform-${index}`;
}

function platformOf(name: string): PlatformSettings {
  return { name, provider: 'cloudfoundry', options: {} };
}

/** Two tiers, two instances of known capacity each: so that every layer of the policy has something to do. */
function applicationOf(index: number, options: FleetOptions): ApplicationSettings {
  const name = applicationName(index);
  return {
    name,
    source: undefined,
    process: DEFAULT_PROCESS,
    env: {},
    secretEnv: [],
    health: options.health ?? DEFAULT_HEALTH,
    data: { writes: 'anywhere' },
    routes: [{ host: `${name}.example.com`, path: '/', publicHost: 'map', retry: 'safe' }],
    targets: Array.from({ length: options.platforms }, (_, i) => ({
      platform: platformName(i),
      tier: i < options.platforms / 2 ? 1 : 2,
      weight: 1,
      instances: 2,
      env: {},
      capacityRpsPerInstance: 50,
      capacityRps: undefined,
    })),
    policy: DEFAULT_POLICY,
    startTimeoutMs: DEFAULT_START_TIMEOUT_MS,
  };
}

function targetOf(platform: string, url: string, application: number): EngineTarget {
  const hostHeader = `${applicationName(application)}.${platform}.example.com`;
  return { platform, release: undefined, pinned: false, hostHeader, sni: undefined, urls: [url] };
}

export function observationOf(at: number, url: string, hostHeader: string): Observation {
  return {
    at,
    apiLatencyMs: 1,
    exists: true,
    releases: [],
    serving: undefined,
    instances: [0, 1].map((id) => ({ id: String(id), release: undefined, state: 'running', routable: true })),
    desired: 2,
    origins: [{ url, hostHeader }],
    env: {},
    foreign: [],
  };
}

/** Keeps the types only: what an event log costs is another matter. */
function countingLog(clock: Clock, types: DomainEvent['type'][]): EventLog {
  return {
    append(event) {
      types.push(event.type);
      return { seq: types.length, at: clock.now(), ...event };
    },
    since: () => [],
    onEvent: emitter<never>().event,
  };
}
