import { DEFAULT_PROCESS } from '../core/settings.ts';
import { DEFAULT_CATCH_UP_MS, DEFAULT_JOB_TIMEOUT_MS, type JobSettings } from '../core/task-settings.ts';
import { choice, duration, text } from './fields.ts';

const DAY_MS = 86_400_000;

/** Of a process that runs by the clock. */
export const jobFields = {
  schedule: text({
    says: 'Not for web. When it runs: minute, hour, day, month, weekday. It runs once at each of these times and ends, with the release that is live, while `sluice serve` runs.',
  }).optional(),
  timezone: text({
    says: 'With `schedule`: IANA name. Default: `timezone` of the file, else UTC.',
  }).optional(),
  timeout: duration(
    { says: 'With `schedule`: it is ended when it takes longer.', otherwise: '1h' },
    { min: 1_000, max: DAY_MS },
  ).optional(),
  overlap: choice(
    {
      says: 'With `schedule`: forbid leaves a time out while the run before is under way; allow runs both.',
      otherwise: 'forbid',
    },
    ['forbid', 'allow'],
  ).optional(),
  catchUp: duration(
    {
      says: 'With `schedule`: how late it may still begin, after a deployment was in its way or nobody was there. Later than that the time is left out, which is an event.',
      otherwise: '10m',
    },
    { min: 10_000, max: DAY_MS },
  ).optional(),
};

/** Keys that mean nothing without `schedule`. */
export const JOB_KEYS = ['timezone', 'timeout', 'overlap', 'catchUp'] as const;

interface JobInput {
  readonly command?: string | undefined;
  readonly memory?: number | undefined;
  readonly runOn?: JobSettings['runOn'] | undefined;
  readonly timezone?: string | undefined;
  readonly timeout?: number | undefined;
  readonly overlap?: JobSettings['overlap'] | undefined;
  readonly catchUp?: number | undefined;
}

export function assembleJob(name: string, cron: string, given: JobInput): JobSettings {
  return {
    name,
    command: given.command ?? '',
    memoryBytes: given.memory ?? DEFAULT_PROCESS.memoryBytes,
    runOn: given.runOn ?? 'one',
    cron,
    timeZone: given.timezone ?? 'UTC',
    timeoutMs: given.timeout ?? DEFAULT_JOB_TIMEOUT_MS,
    overlap: given.overlap ?? 'forbid',
    catchUpMs: given.catchUp ?? DEFAULT_CATCH_UP_MS,
  };
}
