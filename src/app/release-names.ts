import type { ApplicationName, ReleaseId } from '../core/ids.ts';
import type { Release } from '../core/release.ts';
import type { Settings } from '../core/settings.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';

/** The numbers people say, for the ids that platforms carry. Kept in memory: status is asked for often. */
export interface ReleaseNames {
  refresh(): Promise<void>;
  numberOf(application: ApplicationName, id: ReleaseId): number | undefined;
  /** The newest release that is live somewhere. */
  newestLive(application: ApplicationName): Release | undefined;
}

export function createReleaseNames(
  orchestrator: Pick<Orchestrator, 'releases'>,
  settings: Pick<Settings, 'applications'>,
): ReleaseNames {
  const known = new Map<ApplicationName, { releases: readonly Release[]; live: ReadonlySet<ReleaseId> }>();
  return {
    async refresh() {
      for (const name of Object.keys(settings.applications)) {
        const { releases, live } = await orchestrator.releases(name);
        known.set(name, { releases, live: new Set(Object.values(live)) });
      }
    },
    numberOf: (application, id) =>
      known.get(application)?.releases.find((release) => release.id === id)?.number,
    newestLive(application) {
      const found = known.get(application);
      return found?.releases.findLast((release) => found.live.has(release.id));
    },
  };
}
