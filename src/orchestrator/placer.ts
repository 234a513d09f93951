import { hasClass, SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings, OtherProcess, Settings } from '../core/settings.ts';
import type { PlatformSignal } from '../core/signals.ts';
import type { ProcessStatus } from '../core/status.ts';
import { holderOf, type LeaseIdentity, leaseApplication } from './lease.ts';
import { type Move, movesOf, type Sight } from './placement.ts';
import { quietContext } from './scope.ts';

const COLLECTION = 'placements';
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

type SetMove = Extract<Move, { kind: 'set' }>;
type Holders = Readonly<Record<string, PlatformName>>;

export interface PlacerDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly identity: LeaseIdentity;
  /** Where the gateway sends traffic; undefined: nothing was decided yet. */
  readonly active: (application: ApplicationName) => ReadonlySet<PlatformName> | undefined;
  /** Why nothing may be written there now. */
  readonly forbidden: (application: ApplicationName, platform: PlatformName) => string | undefined;
  /** Reads a platform now: it has been told something. */
  readonly observe: (application: ApplicationName, platform: PlatformName) => Promise<unknown>;
}

/** Keeps processes that follow traffic where it is: on each platform that has some, or on exactly one. */
export interface Placer {
  hear(signal: PlatformSignal): void;
  status(
    application: ApplicationName,
    platform: PlatformName,
  ): Readonly<Record<string, ProcessStatus>> | undefined;
  /** Begins nothing more; resolves when nothing is being written. */
  close(): Promise<void>;
}

export function createPlacer(deps: PlacerDeps): Placer {
  const placed = new Map<ApplicationName, Placed>();
  const quit = new AbortController();
  function placedOf(application: ApplicationName): Placed {
    const one = placed.get(application) ?? new Placed(application, deps, quit.signal);
    placed.set(application, one);
    return one;
  }
  return {
    hear(signal) {
      const processes = deps.settings.applications[signal.application]?.processes;
      if (processes === undefined || quit.signal.aborted) return;
      placedOf(signal.application).hear(signal);
    },
    status: (application, platform) => placed.get(application)?.status(platform),
    async close() {
      quit.abort();
      await Promise.all([...placed.values()].map((one) => one.settled()));
    },
  };
}

interface Retry {
  readonly failures: number;
  readonly at: number;
}

/** All processes of one application that follow traffic. */
class Placed {
  readonly #application: ApplicationName;
  readonly #deps: PlacerDeps;
  readonly #quit: AbortSignal;
  /** By process and platform. */
  readonly #sights = new Map<string, Map<PlatformName, Sight>>();
  readonly #awaySince = new Map<PlatformName, number>();
  readonly #retries = new Map<string, Retry>();
  /** Said already, by process. */
  readonly #said = new Map<string, string>();
  readonly #waits = new Map<string, Extract<Move, { kind: 'wait' }>>();
  #holders: Holders | undefined;
  #work: Promise<void> | undefined;

  constructor(application: ApplicationName, deps: PlacerDeps, quit: AbortSignal) {
    this.#application = application;
    this.#deps = deps;
    this.#quit = quit;
  }

  hear({ platform, observation, at }: PlatformSignal): void {
    if (observation === undefined) this.#awaySince.set(platform, this.#awaySince.get(platform) ?? at);
    else this.#awaySince.delete(platform);
    for (const { name } of this.#processes()) {
      const sights = this.#sights.get(name) ?? new Map<PlatformName, Sight>();
      this.#sights.set(name, sights);
      const awaySince = this.#awaySince.get(platform);
      const known = sights.get(platform)?.process;
      sights.set(platform, {
        process: observation === undefined ? known : observation.processes?.[name],
        awaySince,
      });
    }
    this.#work ??= this.#place()
      .catch((error: unknown) => {
        const application = this.#application;
        this.#deps.logger.error({ application, err: String(error) }, 'processes could not be placed');
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  status(platform: PlatformName): Readonly<Record<string, ProcessStatus>> {
    return Object.fromEntries(
      this.#processes().flatMap(({ name, runOn }) => {
        const sight = this.#sights.get(name)?.get(platform);
        const wait = this.#waits.get(name);
        if (sight?.process === undefined) return [];
        const { desired, running } = sight.process;
        const why = wait?.platform === platform ? { waiting: wait.reason } : {};
        return [[name, { runOn, desired, running, ...why }]];
      }),
    );
  }

  async settled(): Promise<void> {
    await this.#work;
  }

  async #place(): Promise<void> {
    this.#holders ??=
      ((await this.#deps.store.get(COLLECTION, this.#application)) as Holders | undefined) ?? {};
    for (const process of this.#processes()) {
      for (const move of this.#moves(process)) {
        if (this.#quit.aborted) return;
        if (move.kind === 'wait') this.#waiting(process, move);
        else await this.#carryOut(process, move);
      }
    }
  }

  #moves(process: OtherProcess): readonly Move[] {
    const active = this.#deps.active(this.#application);
    if (active === undefined) return [];
    const moves = movesOf(process, {
      active,
      order: this.#settings()?.targets.map(({ platform }) => platform) ?? [],
      sights: this.#sights.get(process.name) ?? new Map(),
      holder: this.#holders?.[process.name],
      now: this.#deps.clock.now(),
    });
    const wait = moves.find((move) => move.kind === 'wait');
    if (wait === undefined) this.#waits.delete(process.name);
    else this.#waits.set(process.name, wait);
    return moves;
  }

  #waiting(process: OtherProcess, { platform, reason }: Extract<Move, { kind: 'wait' }>): void {
    const what = `${process.name} on ${platform} waits: ${reason}`;
    this.#say(process, platform, new SluiceError('LOCK_HELD', what, { where: platform }));
  }

  async #carryOut(process: OtherProcess, move: SetMove): Promise<void> {
    const { clock, store, events, identity, observe } = this.#deps;
    const { platform, instances, from, reason } = move;
    const [application, name] = [this.#application, process.name];
    const key = `${name} ${platform}`;
    if (clock.now() < (this.#retries.get(key)?.at ?? 0)) return;
    if (this.#deps.forbidden(application, platform) !== undefined) return;
    try {
      const power = this.#deps.providers.get(platform)?.processes;
      if (power === undefined) return;
      const what = `${instances === 0 ? 'stopping' : 'starting'} ${name} on ${platform}`;
      const lease = await leaseApplication(store, clock, application, holderOf(identity, what, clock.now()));
      try {
        // It took a moment: traffic may be elsewhere by now.
        const isWanted = this.#moves(process).some(
          (one) => one.kind === 'set' && one.platform === platform && one.instances === instances,
        );
        if (!isWanted) return;
        if (instances > 0 && process.runOn === 'one') await this.#keepHolder(name, platform);
        if (!lease.valid()) return;
        const context = { ...quietContext(() => clock.now()), signal: this.#quit };
        await power.scale(context, application, name, instances);
      } finally {
        await lease.release();
      }
      events.append({
        type: 'placement.ordered',
        application,
        platform,
        process: name,
        from,
        to: instances,
        reason,
      });
      this.#retries.delete(key);
      this.#said.delete(name);
    } catch (caught) {
      if (this.#quit.aborted) return;
      const error = SluiceError.from(caught);
      const failures = (this.#retries.get(key)?.failures ?? 0) + 1;
      const pause = error.code === 'LOCK_HELD' ? FIRST_RETRY_MS : FIRST_RETRY_MS * 2 ** (failures - 1);
      this.#retries.set(key, { failures, at: clock.now() + Math.min(LAST_RETRY_MS, pause) });
      if (!hasClass(error, 'notFound')) this.#say(process, platform, error);
      return;
    }
    // What was told must be seen before the next is decided.
    await observe(application, platform);
  }

  async #keepHolder(name: string, platform: PlatformName): Promise<void> {
    this.#holders = { ...this.#holders, [name]: platform };
    await this.#deps.store.put(COLLECTION, this.#application, this.#holders);
  }

  /** Once for each reason, not for each look. */
  #say(process: OtherProcess, platform: PlatformName, error: SluiceError): void {
    const what = `${platform} ${error.code} ${error.message}`;
    if (this.#said.get(process.name) === what) return;
    this.#said.set(process.name, what);
    const application = this.#application;
    this.#deps.events.append({
      ...{ type: 'placement.waiting', application, platform, process: process.name },
      error: toWire(error),
    });
  }

  #settings(): ApplicationSettings | undefined {
    return this.#deps.settings.applications[this.#application];
  }

  #processes(): readonly OtherProcess[] {
    return this.#settings()?.processes ?? [];
  }
}
