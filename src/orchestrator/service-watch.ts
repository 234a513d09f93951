import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type { PlatformSignal, ServicesSignal } from '../core/signals.ts';
import { type ComparisonDeps, compareServices } from './service-comparison.ts';

/** Credentials change seldom, and reading them is several calls on each platform. */
const EVERY_MS = 60_000;
const LONGEST_MS = 30_000;

export interface ServiceWatchDeps extends ComparisonDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deploysTo: (platform: PlatformName) => boolean;
  readonly tell: (signal: ServicesSignal) => void;
}

/** Compares what services hand out on the platforms of an application, once a minute while these are read. */
export interface ServiceWatch {
  hear(signal: PlatformSignal): void;
  /** Begins nothing more; resolves when nothing is being read. */
  close(): Promise<void>;
}

export function createServiceWatch(deps: ServiceWatchDeps): ServiceWatch {
  const { clock, logger, settings } = deps;
  const due = new Map<ApplicationName, number>();
  const quitting = new AbortController();
  const working = new Set<Promise<void>>();

  async function compare(name: ApplicationName): Promise<void> {
    const application = settings.applications[name];
    if (application === undefined) return;
    const platforms = application.targets.map(({ platform }) => platform).filter(deps.deploysTo);
    const late = new AbortController();
    const expire = clock.after(LONGEST_MS, () => late.abort(new Error('too late')));
    const signal = AbortSignal.any([late.signal, quitting.signal]);
    try {
      const context = { signal, now: () => clock.now(), log: () => undefined };
      const faults = await compareServices(deps, application, platforms, context);
      if (quitting.signal.aborted) return;
      for (const platform of platforms) {
        const at = clock.now();
        deps.tell({ kind: 'services', at, application: name, platform, faults: faults[platform] });
      }
    } finally {
      expire();
    }
  }

  return {
    hear({ application, observation }) {
      if (observation === undefined || quitting.signal.aborted) return;
      if ((settings.applications[application]?.comparedServices ?? []).length === 0) return;
      if (clock.now() < (due.get(application) ?? Number.NEGATIVE_INFINITY)) return;
      due.set(application, clock.now() + EVERY_MS);
      const work = compare(application)
        .catch((caught: unknown) => {
          logger.debug({ application, error: String(caught) }, 'services could not be compared');
        })
        .finally(() => working.delete(work));
      working.add(work);
    },
    async close() {
      quitting.abort();
      await Promise.all(working);
    },
  };
}
