import { z } from 'zod';
import { DEFAULT_PROCESS } from '../core/settings.ts';
import { DEFAULT_TASK_TIMEOUT_MS, type TaskSettings } from '../core/task-settings.ts';
import { checkedText, choice, duration, size, text } from './fields.ts';

const MEBIBYTE = 1024 ** 2;

const taskSchema = z
  .strictObject({
    command: text({
      says: 'The shell command. It runs once, with the files, the environment and the services of the release, and ends.',
    }),
    when: choice(
      {
        says: 'release: once for each release over all platforms, before anything of it is promoted; when it fails, nothing is. hand: only by `sluice run`.',
        otherwise: 'hand',
      },
      ['release', 'hand'],
    ).optional(),
    class: choice(
      {
        says: 'With `when: release`: what it does to the data. expand: releases before work with it. contract: they do not, and a rollback past it is refused unless forced.',
      },
      ['expand', 'contract'],
    ).optional(),
    timeout: duration(
      { says: 'It is ended when it takes longer.', otherwise: '10m' },
      { min: 1_000, max: 86_400_000 },
    ).optional(),
    memory: size(
      { says: 'Its memory.', otherwise: '256Mi' },
      { min: 16 * MEBIBYTE, max: 1024 ** 4 },
    ).optional(),
    on: text({
      says: 'The target it runs on. Left out: the writer, else the first; another one when that cannot stage the release.',
    }).optional(),
  })
  .meta({ description: 'A command that runs once.' });

export const tasksSchema = z
  .record(
    checkedText({ says: 'Its name.' }, '^[a-z][a-z0-9-]*$', (name) =>
      /^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$/.test(name)
        ? undefined
        : { fault: 'not a name for a task', remedy: 'lower-case letters, digits and dashes, at most 16' },
    ),
    taskSchema,
  )
  .meta({ description: 'Commands that run once, by name: migrations before a release, and others by hand.' });

export function assembleTasks(input: z.output<typeof tasksSchema> | undefined): {
  readonly tasks?: readonly TaskSettings[];
} {
  const tasks = Object.entries(input ?? {}).map(([name, given]): TaskSettings => {
    const { command, when = 'hand', class: kind, timeout, memory, on } = given;
    return {
      ...{ name, command, when },
      ...(kind === undefined ? {} : { class: kind }),
      timeoutMs: timeout ?? DEFAULT_TASK_TIMEOUT_MS,
      memoryBytes: memory ?? DEFAULT_PROCESS.memoryBytes,
      ...(on === undefined ? {} : { on }),
    };
  });
  return tasks.length === 0 ? {} : { tasks };
}
