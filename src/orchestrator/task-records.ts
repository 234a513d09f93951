import type { ApplicationName, PlatformName, ReleaseId } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';
import type { TaskRecord } from '../core/task-power.ts';

const COLLECTION = 'tasks';
/** Of those by hand and by the clock; what ran with a release is kept as long as its number may matter: for ever. */
const KEPT_RUNS = 100;

/** Runs as they go: what is written here survives us, so it is written before it is relied on. */
export interface TaskRecords {
  /** How the task of a release stands, over all deployments of it. */
  ofRelease(application: ApplicationName, release: ReleaseId, task: string): Promise<TaskRecord | undefined>;
  put(record: TaskRecord): Promise<void>;
  /** It has certainly not begun. */
  forget(record: TaskRecord): Promise<void>;
  /** What they changed there is gone: with the next deployment they run again. */
  forgetMigrations(application: ApplicationName, platform: PlatformName): Promise<void>;
  /** Oldest first. */
  list(application?: ApplicationName): Promise<readonly TaskRecord[]>;
  /** Removes the oldest that ended, beyond a number. */
  tidy(application: ApplicationName): Promise<void>;
}

export function taskRecordsIn(store: StateStore): TaskRecords {
  async function list(application?: ApplicationName): Promise<readonly TaskRecord[]> {
    const found: TaskRecord[] = [];
    for (const key of await store.keys(COLLECTION)) {
      if (application !== undefined && !key.startsWith(`${application}/`)) continue;
      const record = (await store.get(COLLECTION, key)) as TaskRecord | undefined;
      if (record !== undefined) found.push(record);
    }
    return found.sort((a, b) => a.startedAt - b.startedAt);
  }

  return {
    list,
    async ofRelease(application, release, task) {
      const key = keyOf({ application, release, task, run: '', trigger: 'release' });
      return (await store.get(COLLECTION, key)) as TaskRecord | undefined;
    },
    put: (record) => store.put(COLLECTION, keyOf(record), record),
    forget: (record) => store.delete(COLLECTION, keyOf(record)),
    async forgetMigrations(application, platform) {
      for (const record of await list(application))
        if (record.trigger === 'release' && record.platform === platform)
          await store.delete(COLLECTION, keyOf(record));
    },
    async tidy(application) {
      const ended = (await list(application)).filter(
        ({ trigger, state }) => trigger !== 'release' && state !== 'begun',
      );
      for (const record of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS)))
        await store.delete(COLLECTION, keyOf(record));
    },
  };
}

/** One for each release and task, whatever run it took; else one for each run. */
function keyOf({
  application,
  release,
  task,
  run,
  trigger,
}: Pick<TaskRecord, 'application' | 'release' | 'task' | 'run' | 'trigger'>): string {
  return `${application}/${trigger === 'release' ? `${release}-${task}` : run}`;
}
