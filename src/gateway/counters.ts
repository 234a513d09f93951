import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { WorkerCounters } from '../core/messages.ts';
import {
  type ConnectionCounters,
  type NameCounters,
  type QueueCounters,
  REPLAY_CAUSES,
  type ReplayCause,
  STATUS_CLASSES,
} from '../core/traffic-counters.ts';
import type { RequestRecord } from './request-record.ts';
import { FLAG_NAMES } from './response-flags.ts';
import { classIndex, TargetStats } from './target-stats.ts';

/** What a worker counted since it started, and how many there are of what is right now. */
export type GatewayCounters = WorkerCounters;

/** What only others know at the moment of reading. */
export interface PresentState {
  readonly active: number;
  readonly queue: QueueCounters;
  readonly names: NameCounters;
  readonly connections: ConnectionCounters;
  inFlight(application: ApplicationName, platform: PlatformName): number;
}

/** Plain numbers, added to while requests run and read once a second. */
export class Counters {
  replays = 0;
  evacuations = 0;
  refusedByBudget = 0;
  upgrades = 0;
  readonly #byClass = new Float64Array(STATUS_CLASSES.length);
  readonly #byFlag = new Float64Array(FLAG_NAMES.length);
  readonly #byCause = new Map<ReplayCause, number>();
  readonly #targets = new Map<ApplicationName, Map<PlatformName, TargetStats>>();

  /** Status 0: no whole answer went out. */
  finished(status: number): void {
    const index = classIndex(status);
    this.#byClass[index] = this.#byClass[index]! + 1;
  }

  flagged(flags: number): void {
    for (let bit = 0; flags >> bit !== 0; bit += 1) {
      if (((flags >> bit) & 1) === 1) this.#byFlag[bit] = this.#byFlag[bit]! + 1;
    }
  }

  replayed(cause: ReplayCause): void {
    this.replays += 1;
    this.#byCause.set(cause, (this.#byCause.get(cause) ?? 0) + 1);
  }

  /** A request that was offered to an exchange has ended. */
  closed(record: RequestRecord): void {
    const { status, complete, flags, route, target } = record;
    const shown = complete ? status : 0;
    this.finished(shown);
    if (flags !== 0) this.flagged(flags);
    const stats = this.#statsOf(route?.application ?? '', target?.platform ?? '');
    stats.count(shown);
    // What has no end of its own says nothing of how fast anybody is.
    if (complete && !record.isEndless) stats.took(record.endedAt - record.startedAt);
  }

  #statsOf(application: ApplicationName, platform: PlatformName): TargetStats {
    let platforms = this.#targets.get(application);
    if (platforms === undefined) {
      platforms = new Map();
      this.#targets.set(application, platforms);
    }
    let stats = platforms.get(platform);
    if (stats === undefined) {
      stats = new TargetStats();
      platforms.set(platform, stats);
    }
    return stats;
  }

  read({ active, queue, names, connections, inFlight }: PresentState): GatewayCounters {
    const count = (index: number): number => this.#byClass[index] ?? 0;
    return {
      requests: {
        aborted: count(0),
        '1xx': count(1),
        '2xx': count(2),
        '3xx': count(3),
        '4xx': count(4),
        '5xx': count(5),
      },
      replays: this.replays,
      replaysBy: Object.fromEntries(
        REPLAY_CAUSES.map((cause) => [cause, this.#byCause.get(cause) ?? 0] as const),
      ),
      evacuations: this.evacuations,
      refusedByBudget: this.refusedByBudget,
      active,
      upgrades: this.upgrades,
      flags: Object.fromEntries(FLAG_NAMES.map((name, bit) => [name, this.#byFlag[bit] ?? 0] as const)),
      targets: [...this.#targets].flatMap(([application, platforms]) =>
        [...platforms].map(([platform, stats]) =>
          stats.read(application, platform, inFlight(application, platform)),
        ),
      ),
      queue,
      names,
      connections,
    };
  }
}
