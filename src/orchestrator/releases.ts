import type { ApplicationName, PlatformName, ReleaseId } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';
import type { Release } from '../core/release.ts';
import type { KeptConfiguration } from './kept-configuration.ts';

/** Which releases there are, and which of them is live where. */
export interface Releases {
  /** The release with this identity, recorded with the next number if it is new. Call under the lease. */
  record(wanted: Omit<Release, 'number'>, configuration: KeptConfiguration): Promise<Release>;
  get(application: ApplicationName, id: ReleaseId): Promise<Release | undefined>;
  /** As it was recorded; undefined for releases of before configurations were kept. */
  configuration(application: ApplicationName, id: ReleaseId): Promise<KeptConfiguration | undefined>;
  /** Oldest first. */
  list(application: ApplicationName): Promise<readonly Release[]>;
  live(application: ApplicationName): Promise<Readonly<Record<PlatformName, ReleaseId>>>;
  setLive(
    application: ApplicationName,
    platform: PlatformName,
    release: ReleaseId | undefined,
  ): Promise<void>;
}

/** Apart from the releases: those are shown to whoever may read. */
const CONFIGURATIONS = 'release-configurations';

export function releasesIn(store: StateStore): Releases {
  // One platform's cut-over must not overwrite another's that happens at the same moment.
  let writing: Promise<unknown> = Promise.resolve();

  async function list(application: ApplicationName): Promise<Release[]> {
    const found: Release[] = [];
    for (const key of await store.keys('releases')) {
      if (!key.startsWith(`${application}/`)) continue;
      found.push((await store.get('releases', key)) as Release);
    }
    return found.sort((a, b) => a.number - b.number);
  }

  async function live(application: ApplicationName): Promise<Record<PlatformName, ReleaseId>> {
    return ((await store.get('live', application)) as Record<PlatformName, ReleaseId> | undefined) ?? {};
  }

  return {
    list,
    live,
    async record(wanted, configuration) {
      await store.put(CONFIGURATIONS, keyOf(wanted), configuration);
      const known = await list(wanted.application);
      const same = known.find((release) => release.id === wanted.id);
      if (same) return same;
      const release: Release = { ...wanted, number: (known.at(-1)?.number ?? 0) + 1 };
      await store.put('releases', keyOf(release), release);
      return release;
    },
    async get(application, id) {
      return (await store.get('releases', keyOf({ application, id }))) as Release | undefined;
    },
    async configuration(application, id) {
      const kept = await store.get(CONFIGURATIONS, keyOf({ application, id }));
      return kept as KeptConfiguration | undefined;
    },
    setLive(application, platform, release) {
      const write = writing.then(async () => {
        const now = await live(application);
        if (release === undefined) delete now[platform];
        else now[platform] = release;
        await store.put('live', application, now);
      });
      writing = write.catch(() => undefined);
      return write;
    },
  };
}

function keyOf({ application, id }: Pick<Release, 'application' | 'id'>): string {
  return `${application}/${id}`;
}
