import type { Command } from 'commander';
import type { RunWish } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { TaskRecord } from '../core/task-power.ts';
import { describeEvent } from '../events/describe.ts';
import { systemClock } from '../lib/clock.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, durationOf, withConfiguration, withPlatforms, withServer } from './options.ts';
import { formatError } from './print-error.ts';
import type { Session } from './session.ts';
import { meantApplication, openViewSession } from './view-session.ts';

const RECORD_EVERY_MS = 2_000;

interface RunOptions extends CommonOptions {
  readonly timeout?: string;
}

export function runCommand(program: Command, io: CliIo): void {
  const command = program
    .command('run <application> [task-or-command...]')
    .description('run a task, or a command behind --, once with the release that is live')
    .option('--timeout <duration>', 'it is ended when it takes longer')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice run shop migrate\n  sluice run shop --on cf-eu -- npm run report\n',
    );
  withServer(withPlatforms(withConfiguration(command))).action(
    async (name: string, words: readonly string[], options: RunOptions) => {
      const timeoutMs = durationOf('--timeout', options.timeout);
      const what = whatToRun(words, program.args.length > 0 && hasDashes(program));
      const session = await openViewSession(options, io);
      try {
        const application = await meantApplication(session, name, options, io);
        await follow(session, io, options, {
          application,
          ...what,
          platform: onlyOne(options.on),
          timeoutMs,
        });
      } finally {
        await session.close();
      }
    },
  );
}

/** It runs once, so on one of them. */
function onlyOne(on: readonly string[] | undefined): string | undefined {
  if (on === undefined || on.length === 1) return on?.[0];
  throw new SluiceError('USAGE', 'it runs on one platform', {
    why: `--on names ${on.join(', ')}`,
    remedy: 'name one; left out: as the task says, the writer, or the first target',
  });
}

function hasDashes(program: Command): boolean {
  return (program as Command & { readonly rawArgs: readonly string[] }).rawArgs.includes('--');
}

/** One word names a task; what stands behind -- is a command, and one word of it is taken as a shell reads it. */
function whatToRun(words: readonly string[], dashes: boolean): Pick<RunWish, 'task' | 'command'> {
  if (dashes && words.length > 0)
    return { task: undefined, command: words.length === 1 ? words[0] : words.map(quoted).join(' ') };
  if (words.length === 1) return { task: words[0], command: undefined };
  throw new SluiceError('USAGE', words.length === 0 ? 'there is nothing to run' : 'a task has one name', {
    remedy: 'name a task, or write the command behind --: sluice run APP -- COMMAND',
  });
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What it prints goes to standard output as it is; all else is said on the other. */
async function follow(session: Session, io: CliIo, options: RunOptions, wish: RunWish): Promise<void> {
  const early: LoggedEvent[] = [];
  const over = new AbortController();
  let run: string | undefined;
  function accept(event: LoggedEvent): void {
    if (!('run' in event)) return;
    if (run === undefined) early.push(event);
    else if (event.run === run) show(event);
  }
  function show(event: LoggedEvent): void {
    if (options.json) io.stdout(`${JSON.stringify(event)}\n`);
    else if (event.type === 'task.log') io.stdout(`${event.text}\n`);
    else io.stderr(`${describeEvent(event)}\n`);
    if (event.type === 'task.finished') over.abort();
  }
  await session.follow(accept);
  const started = await session.control.run(wish);
  run = started.run;
  for (const event of early) accept(event);
  onInterrupt(session, io, started.run, over);
  const record = await recordAtEnd(session, started.run, over.signal);
  await session.settled();
  if (io.signal.aborted) io.exit(130);
  else report(record, io);
}

/** With a server Ctrl-C only stops watching; alone the run ends with us. */
function onInterrupt({ kind }: Session, io: CliIo, run: string, over: AbortController): void {
  function interrupted(): void {
    if (kind === 'alone') {
      io.stderr(`cancelling ${run}\n`);
      return;
    }
    io.stderr(`${run} goes on; see it with \`sluice tasks\`, end it with \`sluice tasks cancel ${run}\`\n`);
    over.abort();
  }
  if (io.signal.aborted) interrupted();
  else io.signal.addEventListener('abort', interrupted, { once: true });
}

/** The stream is for showing; the record is the truth, also when the stream broke for a moment. */
async function recordAtEnd(
  { control }: Session,
  run: string,
  over: AbortSignal,
): Promise<TaskRecord | undefined> {
  for (;;) {
    await systemClock.sleep(RECORD_EVERY_MS, over).catch(() => undefined);
    const record = (await control.tasks()).find((one) => one.run === run);
    if (over.aborted || record?.state !== 'begun') return record;
  }
}

function report(record: TaskRecord | undefined, io: CliIo): void {
  if (record?.state === 'succeeded') return;
  if (record?.error !== undefined) io.stderr(formatError(record.error));
  io.exit(1);
}
