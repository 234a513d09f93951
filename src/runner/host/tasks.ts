import { closeSync, openSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { platformError } from '../../core/errors.ts';
import type { Clock, Dispose, Logger } from '../../core/ports.ts';
import { adopt } from '../adopt.ts';
import type { Guard } from '../guard.ts';
import { launch } from '../launch.ts';
import { groupIsOurs, isAlive, type ProcessIdentity } from '../proc.ts';
import { terminateGroup } from '../process-group.ts';
import type { SupervisedProcess } from '../supervised-process.ts';
import { replaceFile } from './replace-file.ts';

const GRACE_MS = 10_000;
const MOST_OUTPUT_BYTES = 256 * 1024;

export const taskWishSchema = z.strictObject({
  release: z.string(),
  command: z.string().min(1),
  env: z.record(z.string(), z.string()),
  timeoutMs: z.number().int().positive(),
});
export type TaskWish = z.output<typeof taskWishSchema>;

/** One run on record. Without a pid it was meant and has certainly not begun. */
const recordSchema = z.object({
  release: z.string(),
  startedAt: z.number(),
  timeoutMs: z.number(),
  pid: z.number().optional(),
  startTicks: z.number().optional(),
  /** Why we ended it. */
  stopped: z.string().optional(),
  ended: z.object({ at: z.number(), code: z.number().nullable(), reason: z.string() }).optional(),
});
type TaskOnRecord = z.output<typeof recordSchema>;

export interface TaskView {
  readonly state: 'running' | 'ended';
  readonly startedAt: number;
  /** Why it was ended by us, if it was. */
  readonly stopped: string | null;
  readonly exit: { readonly code: number | null; readonly reason: string } | null;
  /** What it printed from the byte `from` on, whole lines. */
  readonly lines: readonly string[];
  /** Where to go on. */
  readonly next: number;
}

interface HostTasksDeps {
  /** `tasks/<application>/<run>/` holds record, output and exit status. */
  readonly root: string;
  readonly folderOf: (application: string, release: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: tasks outlive the daemon, and the next one goes on with them. */
  readonly guard: Guard | undefined;
}

/**
 * Commands that run once and end. Each run has a folder that says all of it, so a run asked for twice is one run, and a
 * daemon that died finds how it ended: the shell around the command writes its exit status down itself.
 */
export interface HostTasks {
  start(application: string, run: string, wish: TaskWish): Promise<void>;
  /** Undefined: there is no such run. */
  view(application: string, run: string, from: number): Promise<TaskView | undefined>;
  stop(application: string, run: string): Promise<void>;
  forget(application: string, run: string): Promise<void>;
  /** The name of a run of this release that has not ended. */
  atWork(application: string, release: string): Promise<string | undefined>;
  /** Ends and forgets all of an application. */
  destroy(application: string): Promise<void>;
  /** Goes on with those of a daemon before us. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

interface LiveTask {
  readonly process: SupervisedProcess;
  readonly timer: Dispose;
  /** It has ended, and that is written down. */
  readonly settled: Promise<void>;
}

export function createHostTasks(deps: HostTasksDeps): HostTasks {
  const { root, clock, logger } = deps;
  const live = new Map<string, LiveTask>();
  /** Between being asked for and being on record: the second who asks waits for the first. */
  const starting = new Map<string, Promise<void>>();

  function pathOf(application: string, run: string, file = ''): string {
    return join(root, application, run, file);
  }

  async function read(application: string, run: string): Promise<TaskOnRecord | undefined> {
    const text = await readFile(pathOf(application, run, 'task.json'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
  }

  /** One after the other: of two changes at the same moment none is lost. */
  let changing: Promise<unknown> = Promise.resolve();
  function change(application: string, run: string, more: Partial<TaskOnRecord>): Promise<void> {
    const done = changing.then(async () => {
      const record = await read(application, run);
      if (record === undefined) return;
      const changed = { ...record, ...more };
      await replaceFile(pathOf(application, run, 'task.json'), JSON.stringify(changed));
    });
    changing = done.catch(() => undefined);
    return done;
  }

  function watch(application: string, run: string, process: SupervisedProcess, record: TaskOnRecord): void {
    const key = `${application}/${run}`;
    const left = Math.max(0, record.startedAt + record.timeoutMs - clock.now());
    const timer = clock.after(left, () => {
      const why = `it took longer than ${record.timeoutMs / 1_000} s`;
      end(application, run, why).catch((error: unknown) =>
        logger.warn({ task: key, error: String(error) }, 'a task could not be ended'),
      );
    });
    const settled = process.exited.then(async (exit) => {
      timer();
      deps.guard?.unwatch(process.identity);
      await writeEnd(application, run, exit.reason).catch((error: unknown) =>
        logger.error({ task: key, error: String(error) }, 'the end of a task could not be written down'),
      );
      live.delete(key);
    });
    live.set(key, { process, timer, settled });
  }

  /** The exit status that the shell wrote is better than what we saw: we may not have been there. */
  async function writeEnd(application: string, run: string, seen: string): Promise<void> {
    const text = await readFile(pathOf(application, run, 'status'), 'utf8').catch(() => undefined);
    const code = text === undefined ? null : Number(text);
    const reason = code === null ? seen : `exited with code ${code}`;
    await change(application, run, { ended: { at: clock.now(), code, reason } });
  }

  async function begin(application: string, run: string, wish: TaskWish): Promise<void> {
    const before = await read(application, run);
    if (before !== undefined && (before.pid !== undefined || before.ended !== undefined)) return;
    const { release, command, env, timeoutMs } = wish;
    const startedAt = clock.now();
    const folder = pathOf(application, run);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(join(folder, 'task.json'), JSON.stringify({ release, startedAt, timeoutMs }));
    const output = openSync(join(folder, 'output'), 'a', 0o600);
    try {
      const process = await launch({
        spec: {
          id: `${application}/${run}`,
          command: withStatus(command, join(folder, 'status')),
          cwd: deps.folderOf(application, release),
          env,
          startDetection: { kind: 'alive', forMs: 0 },
          startTimeoutMs: timeoutMs,
          stopGraceMs: GRACE_MS,
          restart: false,
        },
        port: 0,
        clock,
        onOutput: () => undefined,
        output: { out: output, err: output },
        async recorded({ pid, startTicks }) {
          await change(application, run, { pid, ...(startTicks === undefined ? {} : { startTicks }) });
        },
      });
      deps.guard?.watch(process.identity);
      watch(application, run, process, { release, startedAt, timeoutMs });
    } catch (error) {
      // The command did not run: whoever asks again may try again.
      await rm(folder, { recursive: true, force: true });
      throw platformError('startFailed', 'host', `task ${run} of ${application} could not be started`, {
        why: error instanceof Error ? error.message : String(error),
        remedy: 'deploy again: the files of the release come first',
      });
    } finally {
      closeSync(output);
    }
  }

  async function end(application: string, run: string, why: string): Promise<void> {
    const found = live.get(`${application}/${run}`);
    if (found === undefined) return;
    await change(application, run, { stopped: why });
    await terminated(found);
  }

  async function terminated({ process, settled }: LiveTask): Promise<void> {
    await process.terminate(GRACE_MS);
    await settled;
  }

  async function resumeOne(application: string, run: string): Promise<void> {
    const record = await read(application, run);
    if (record?.pid === undefined || record.ended !== undefined) return;
    const identity: ProcessIdentity = { pid: record.pid, startTicks: record.startTicks };
    if (isAlive(identity) && deps.guard === undefined) {
      watch(application, run, adopt(identity, { close: () => undefined }, clock), record);
      return;
    }
    if (groupIsOurs(identity)) await terminateGroup(identity.pid, isAlive(identity) ? GRACE_MS : 0, clock);
    await writeEnd(application, run, 'ended while nobody was there to see how');
  }

  return {
    start(application, run, wish) {
      const key = `${application}/${run}`;
      let under = starting.get(key);
      if (under === undefined) {
        under = begin(application, run, wish).finally(() => starting.delete(key));
        starting.set(key, under);
      }
      return under;
    },

    async view(application, run, from) {
      const record = await read(application, run);
      if (record === undefined) return undefined;
      const { startedAt, ended, stopped = null } = record;
      const output = await linesFrom(pathOf(application, run, 'output'), from, ended !== undefined);
      const exit = ended === undefined ? null : { code: ended.code, reason: ended.reason };
      return { state: ended === undefined ? 'running' : 'ended', startedAt, stopped, exit, ...output };
    },

    stop: (application, run) => end(application, run, 'somebody ended it'),

    async forget(application, run) {
      if (live.has(`${application}/${run}`)) return;
      await rm(pathOf(application, run), { recursive: true, force: true });
    },

    async atWork(application, release) {
      for (const run of await namesIn(join(root, application))) {
        const record = await read(application, run);
        if (record?.release === release && record.pid !== undefined && record.ended === undefined) return run;
      }
      return undefined;
    },

    async destroy(application) {
      for (const run of await namesIn(join(root, application)))
        await end(application, run, 'its application was removed');
      await rm(join(root, application), { recursive: true, force: true });
    },

    async resume() {
      for (const application of await namesIn(root))
        for (const run of await namesIn(join(root, application))) await resumeOne(application, run);
    },

    async close() {
      const ending = [...live.values()].map(async (task) => {
        task.timer();
        if (deps.guard === undefined) task.process.leave();
        else await terminated(task);
      });
      await Promise.all(ending);
      await deps.guard?.close();
    },
  };
}

/** Written beside and renamed: a status that is there is whole. */
function withStatus(command: string, file: string): string {
  const to = quoted(file);
  return `sh -c ${quoted(command)}; code=$?; printf %s "$code" > ${to}.new && mv ${to}.new ${to}; exit "$code"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

async function linesFrom(
  path: string,
  from: number,
  whole: boolean,
): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return { lines: [], next: from };
  try {
    const buffer = Buffer.alloc(MOST_OUTPUT_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const read = buffer.subarray(0, bytesRead);
    const last = read.lastIndexOf(10) + 1;
    // A line that is still being written comes with the next look, unless nothing follows any more.
    const length =
      (whole && bytesRead < buffer.length) || (last === 0 && bytesRead === buffer.length) ? bytesRead : last;
    if (length === 0) return { lines: [], next: from };
    const text = read.subarray(0, length).toString('utf8').replace(/\n$/, '');
    return { lines: text.split('\n'), next: from + length };
  } finally {
    await file.close();
  }
}
