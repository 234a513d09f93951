import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';

const COLLECTION = 'drift';
const HOUR_MS = 3_600_000;

/** When platforms were put back lately: so that a controller that starts again and again does not forget its limit. */
export interface DriftRecords {
  /** Within the hour before `now`, oldest first. */
  heals(application: ApplicationName, platform: PlatformName, now: number): Promise<readonly number[]>;
  healed(application: ApplicationName, platform: PlatformName, now: number): Promise<void>;
}

export function driftRecordsIn(store: StateStore): DriftRecords {
  let writing: Promise<unknown> = Promise.resolve();

  async function read(application: ApplicationName): Promise<Record<PlatformName, number[]>> {
    return ((await store.get(COLLECTION, application)) as Record<PlatformName, number[]> | undefined) ?? {};
  }
  function recent(all: readonly number[] | undefined, now: number): number[] {
    return (all ?? []).filter((at) => at > now - HOUR_MS && at <= now);
  }

  return {
    async heals(application, platform, now) {
      return recent((await read(application))[platform], now);
    },
    healed(application, platform, now) {
      const write = writing.then(async () => {
        const all = await read(application);
        await store.put(COLLECTION, application, {
          ...all,
          [platform]: [...recent(all[platform], now), now],
        });
      });
      writing = write.catch(() => undefined);
      return write;
    },
  };
}
