import { DEFAULT_DRIFT, type DriftSettings, type DriftStatus } from '../core/drift.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Observation, PlatformProvider } from '../core/provider.ts';
import { type Drift, driftOf } from './drift-fields.ts';
import type { DriftRecords } from './drift-records.ts';
import type { DriftDeps } from './drift-watch.ts';
import { heal } from './heal.ts';
import { changesTo } from './plan.ts';
import { quietContext } from './scope.ts';

const HEALS_AN_HOUR = 3;
const FIRST_RETRY_MS = 30_000;
const LAST_RETRY_MS = 30 * 60_000;
/** Somebody is at work there; what they do may be what puts it right. */
const BUSY_RETRY_MS = 10_000;
const NOTHING: Drift = { fields: [], foreign: [] };

/** How one application stands on one platform to what was deployed there. */
export class WatchedTarget {
  status: DriftStatus | undefined;
  readonly #application: ApplicationName;
  readonly #platform: PlatformName;
  readonly #deps: DriftDeps;
  readonly #records: DriftRecords;
  readonly #quit: AbortSignal;
  #work: Promise<void> | undefined;
  #lookAt = Number.NEGATIVE_INFINITY;
  /** Seen once: it may have been a moment in between. */
  #suspected: string | undefined;
  /** Said already. */
  #known = keyOf(NOTHING);
  #failures = 0;
  #healAt = Number.NEGATIVE_INFINITY;
  #complained = '';

  constructor(
    application: ApplicationName,
    platform: PlatformName,
    deps: DriftDeps,
    records: DriftRecords,
    quit: AbortSignal,
  ) {
    this.#application = application;
    this.#platform = platform;
    this.#deps = deps;
    this.#records = records;
    this.#quit = quit;
  }

  hear(seen: Observation): void {
    const { clock, logger } = this.#deps;
    if (this.#work !== undefined || clock.now() < this.#lookAt) return;
    this.#lookAt = clock.now() + this.#settings.everyMs;
    this.#work = this.#look(seen)
      .catch((caught: unknown) => {
        // Not to know is no drift, and changes nothing of what is known.
        const [application, platform] = [this.#application, this.#platform];
        logger.debug({ application, platform, error: String(caught) }, 'a platform could not be compared');
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  async settled(): Promise<void> {
    await this.#work;
  }

  async #look(seen: Observation): Promise<void> {
    const [application, platform] = [this.#application, this.#platform];
    const { deployed, inFlux } = this.#deps;
    const before = await deployed.on(application, platform);
    if (before.state === 'changing' || inFlux(application, platform) !== undefined) {
      this.#suspected = undefined;
      return;
    }
    if (before.state !== 'known') {
      this.#forget();
      if (before.state === 'outdated') this.#is('outdated', NOTHING, { heals: 0 });
      return;
    }
    const context = { ...quietContext(() => this.#deps.clock.now()), signal: this.#quit };
    const changes = await changesTo(this.#provider, context, before.want, seen);
    // A deployment may have begun, or even ended, while we read.
    const after = await deployed.on(application, platform);
    if (after.state !== 'known' || after.want.release.id !== before.want.release.id) return;
    await this.#found(driftOf(changes, seen, this.#settings));
  }

  async #found(drift: Drift): Promise<void> {
    const { clock, events } = this.#deps;
    const [application, platform] = [this.#application, this.#platform];
    const key = keyOf(drift);
    if (key !== this.#known && key !== keyOf(NOTHING) && key !== this.#suspected) {
      this.#suspected = key;
      // The next read decides.
      this.#lookAt = clock.now();
      return;
    }
    this.#suspected = undefined;
    const heals = (await this.#records.heals(application, platform, clock.now())).length;
    if (key === keyOf(NOTHING)) {
      if (this.#known !== key) events.append({ type: 'drift.gone', application, platform });
      this.#forget();
      this.#is('none', drift, { heals });
      return;
    }
    if (key !== this.#known) {
      this.#known = key;
      const { fields, foreign } = drift;
      events.append({ type: 'drift.found', application, platform, fields, foreign });
    }
    if (this.#settings.mode === 'heal' && drift.fields.length > 0) await this.#mend(drift, heals);
    else this.#is('found', drift, { heals });
  }

  async #mend(drift: Drift, heals: number): Promise<void> {
    const { clock, forbidden } = this.#deps;
    const [application, platform] = [this.#application, this.#platform];
    const now = clock.now();
    const why = forbidden(application, platform);
    if (why !== undefined) return this.#is('found', drift, { heals, why });
    if (heals >= HEALS_AN_HOUR) return this.#complain(drift, heals, this.#again(heals));
    if (now < this.#healAt) return;
    this.#is('healing', drift, { heals });
    let begun = heals;
    try {
      const done = await heal({
        ...this.#deps,
        provider: this.#provider,
        settings: this.#settings,
        signal: this.#quit,
        wanted: async () => {
          const deployed = await this.#deps.deployed.on(application, platform);
          return deployed.state === 'known' ? deployed.want : undefined;
        },
        begin: async () => {
          begun += 1;
          await this.#records.healed(application, platform, now);
        },
      });
      this.#failures = 0;
      this.#healAt = clock.now();
      if (done) this.#healed(drift, begun, clock.now() - now);
      // Whoever mended it meanwhile: the next look says how it is.
      else this.#lookAt = clock.now();
    } catch (caught) {
      this.#failed(drift, begun, SluiceError.from(caught));
    }
  }

  #healed(drift: Drift, heals: number, tookMs: number): void {
    const [application, platform] = [this.#application, this.#platform];
    const { fields } = drift;
    this.#deps.events.append({ type: 'drift.healed', application, platform, fields, tookMs });
    this.#forget();
    this.#is('none', { fields: [], foreign: drift.foreign }, { heals });
    this.#known = keyOf({ fields: [], foreign: drift.foreign });
  }

  #failed(drift: Drift, heals: number, error: SluiceError): void {
    const { clock } = this.#deps;
    if (this.#quit.aborted) return;
    if (error.code === 'LOCK_HELD') {
      this.#healAt = clock.now() + BUSY_RETRY_MS;
      this.#lookAt = this.#healAt;
      this.#is('found', drift, { heals, why: error.message });
      return;
    }
    this.#failures += 1;
    this.#healAt = clock.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#complain(drift, heals, error);
  }

  #again(heals: number): SluiceError {
    const what = `${this.#application} on ${this.#platform} differs again after it was put back ${heals} times within an hour`;
    return new SluiceError('SAFETY_VETO', what, {
      where: this.#platform,
      why: 'somebody or something changes it again and again',
      remedy: 'find out who, or name the fields in `drift.ignore`; it is tried again when the hour is over',
    });
  }

  /** Once for each reason, not for each try. */
  #complain(drift: Drift, heals: number, error: SluiceError): void {
    const [application, platform] = [this.#application, this.#platform];
    this.#is('unhealed', drift, { heals, error: toWire(error), why: error.message });
    const what = `${error.code} ${error.message}`;
    if (this.#complained === what) return;
    this.#complained = what;
    this.#deps.events.append({ type: 'drift.unhealed', application, platform, error: toWire(error) });
  }

  #forget(): void {
    this.#suspected = undefined;
    this.#known = keyOf(NOTHING);
    this.#failures = 0;
    this.#complained = '';
    this.status = undefined;
  }

  #is(
    state: DriftStatus['state'],
    { fields, foreign }: Drift,
    more: Pick<DriftStatus, 'heals' | 'why' | 'error'>,
  ): void {
    const since = this.status?.state === state ? this.status.since : this.#deps.clock.now();
    this.status = { state, since, fields, foreign, ...more };
  }

  get #settings(): DriftSettings {
    return this.#deps.settings.applications[this.#application]?.drift ?? DEFAULT_DRIFT;
  }

  get #provider(): PlatformProvider {
    const provider = this.#deps.providers.get(this.#platform);
    if (provider === undefined) throw new SluiceError('BUG', `no provider for ${this.#platform}`);
    return provider;
  }
}

/** Which things differ, not by how much: an autoscaler's count changes all the time. */
function keyOf({ fields, foreign }: Drift): string {
  return JSON.stringify([fields.map(({ field }) => field), foreign]);
}
