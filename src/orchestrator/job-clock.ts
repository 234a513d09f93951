import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import type { TaskRecord } from '../core/task-power.ts';
import type { JobSettings } from '../core/task-settings.ts';
import { lastDue } from '../lib/cron-window.ts';
import { taskRecordsIn } from './task-records.ts';
import type { TaskRuns } from './task-runs.ts';

const COLLECTION = 'schedules';
/** Beyond what a run may take: then nobody follows it any more, and it stands in nobody's way. */
const FORGOTTEN_MS = 15 * 60_000;

/** Up to which moment a job was looked after; of another schedule that says nothing. */
interface Mark {
  readonly schedule: string;
  readonly done: number;
}

export interface JobClockDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly begin: TaskRuns['begin'];
  /** Where it is deployed. */
  readonly live: (application: ApplicationName) => Promise<ReadonlySet<PlatformName>>;
  /** Where the gateway sends traffic; undefined: nothing was decided yet. */
  readonly active: (application: ApplicationName) => ReadonlySet<PlatformName> | undefined;
  /** Why nothing may be run there now. */
  readonly forbidden: (application: ApplicationName, platform: PlatformName) => string | undefined;
}

/** Runs processes by the clock: each of their times once, on the platforms that are theirs at that time. */
export interface JobClock {
  /** To be called often: begins what is due and was not begun. What is in its way now is tried again at the next look. */
  look(): Promise<void>;
  /** Begins nothing more. */
  close(): Promise<void>;
}

export function createJobClock(deps: JobClockDeps): JobClock {
  const { settings, store, clock, events, logger } = deps;
  const records = taskRecordsIn(store);
  const quit = new AbortController();
  const looking = new Map<string, Promise<void>>();
  /** Why a moment was not run at the last look. */
  const reasons = new Map<string, string>();

  async function lookAt(application: ApplicationSettings, job: JobSettings): Promise<void> {
    const key = `${application.name}/${job.name}`;
    const schedule = `${job.cron} ${job.timeZone}`;
    const now = clock.now();
    const mark = (await store.get(COLLECTION, key)) as Mark | undefined;
    const done = (at: number): Promise<void> => store.put(COLLECTION, key, { schedule, done: at });
    // What was before it stood in the file is nobody's.
    if (mark?.schedule !== schedule) return done(now);
    const due = lastDue(job.cron, job.timeZone, now);
    if (due === undefined || due <= mark.done) return;
    const over = (await isOver(application, job, due)) ?? tooLate(key, job, now - due);
    if (over === undefined && !(await begin(application, job, due, key))) return;
    if (over !== undefined)
      events.append({
        ...{ type: 'task.missed', application: application.name, task: job.name, dueAt: due, why: over },
      });
    reasons.delete(key);
    await done(due);
  }

  function tooLate(key: string, { catchUpMs }: JobSettings, lateMs: number): string | undefined {
    if (lateMs <= catchUpMs) return undefined;
    return reasons.get(key) ?? 'nobody was there to run it, and now it is too late';
  }

  /** Why it is left out for good. */
  async function isOver(
    { name }: ApplicationSettings,
    job: JobSettings,
    due: number,
  ): Promise<string | undefined> {
    if (job.overlap === 'allow') return undefined;
    const before = (await ownRuns(name, job)).find(
      (record) => !isOf(record, job, due) && isUnderWay(record, job, clock.now()),
    );
    return before && `the run before, ${before.run}, is still under way on ${before.platform}`;
  }

  async function ownRuns(application: ApplicationName, job: JobSettings): Promise<readonly TaskRecord[]> {
    const all = await records.list(application);
    return all.filter(({ trigger, task }) => trigger === 'schedule' && task === job.name);
  }

  /** False: to be tried again. */
  async function begin(
    application: ApplicationSettings,
    job: JobSettings,
    due: number,
    key: string,
  ): Promise<boolean> {
    const [where, why] = await placesOf(application, job);
    if (where.length === 0) {
      reasons.set(key, why);
      return false;
    }
    const begun = (await ownRuns(application.name, job)).filter((record) => isOf(record, job, due));
    if (job.runOn !== 'one') {
      const all = where.map((platform) => beginOn(application, job, due, platform, begun, key));
      return (await Promise.all(all)).every(Boolean);
    }
    // Where it may have begun it is asked for again, and nowhere else.
    const places = begun[0] === undefined ? where : [begun[0].platform];
    for (const platform of places) {
      if (await beginOn(application, job, due, platform, begun, key)) return true;
      const [meant] = (await ownRuns(application.name, job)).filter((record) => isOf(record, job, due));
      if (meant !== undefined || quit.signal.aborted) return false;
    }
    return false;
  }

  async function placesOf(
    { name, targets }: ApplicationSettings,
    { runOn }: JobSettings,
  ): Promise<readonly [readonly PlatformName[], string]> {
    const live = await deps.live(name);
    const active = runOn === 'all' ? live : deps.active(name);
    if (active === undefined) return [[], 'nobody knew yet which platforms are active'];
    const order = targets.map(({ platform }) => platform).filter((platform) => live.has(platform));
    const theirs = order.filter((platform) => active.has(platform));
    if (theirs.length === 0)
      return [[], order.length === 0 ? 'nothing is deployed' : 'no platform is active'];
    const allowed = theirs.filter((platform) => deps.forbidden(name, platform) === undefined);
    const why = theirs.map((platform) => `${platform}: ${deps.forbidden(name, platform)}`).join('; ');
    return [allowed, why];
  }

  async function beginOn(
    application: ApplicationSettings,
    job: JobSettings,
    due: number,
    platform: PlatformName,
    begun: readonly TaskRecord[],
    key: string,
  ): Promise<boolean> {
    const run = runName(application, job, due, platform);
    const known = begun.find((record) => record.run === run);
    if (known !== undefined && (known.state !== 'begun' || known.handle !== undefined)) return true;
    try {
      const order = { application, platform, run, trigger: 'schedule', task: job } as const;
      const { finished } = await deps.begin(order, quit.signal);
      // How it ended is an event and on record.
      finished.catch(() => undefined);
      return true;
    } catch (caught) {
      const { message, details, code } = SluiceError.from(caught);
      const why = details.why === undefined ? message : `${message} (${details.why})`;
      reasons.set(key, `${platform}: ${why}`);
      if (code === 'BUG') logger.error({ run, err: caught }, 'a job could not be begun');
      return false;
    }
  }

  function lookOnce(application: ApplicationSettings, job: JobSettings): Promise<void> {
    const key = `${application.name}/${job.name}`;
    const before = looking.get(key);
    if (before !== undefined) return before;
    const look = lookAt(application, job)
      .catch((error: unknown) => logger.error({ job: key, err: error }, 'a job could not be looked after'))
      .finally(() => looking.delete(key));
    looking.set(key, look);
    return look;
  }

  return {
    async look() {
      if (quit.signal.aborted) return;
      const all = Object.values(settings.applications).flatMap((application) =>
        (application.jobs ?? []).map((job) => lookOnce(application, job)),
      );
      await Promise.all(all);
    },
    async close() {
      quit.abort();
      await Promise.all(looking.values());
    },
  };
}

/** The time is its name: whoever asks for it again means the same run. */
function runName(
  { targets }: ApplicationSettings,
  job: JobSettings,
  due: number,
  platform: PlatformName,
): string {
  const name = momentName(job, due);
  if (job.runOn === 'one') return name;
  return `${name}-${targets.findIndex((target) => target.platform === platform)}`;
}

function momentName({ name }: JobSettings, due: number): string {
  return `${name}-${Math.floor(due / 1_000).toString(36)}`;
}

function isOf({ run }: TaskRecord, job: JobSettings, due: number): boolean {
  const name = momentName(job, due);
  return run === name || run.startsWith(`${name}-`);
}

function isUnderWay({ state, startedAt }: TaskRecord, { timeoutMs }: JobSettings, now: number): boolean {
  return state === 'begun' && now - startedAt < timeoutMs + FORGOTTEN_MS;
}
