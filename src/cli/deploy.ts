import type { Command } from 'commander';
import type { DeploymentRecord } from '../core/deployment.ts';
import { ERROR_CODES } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { Release } from '../core/release.ts';
import { releaseLabel } from '../core/release.ts';
import { systemClock } from '../lib/clock.ts';
import { bundleWish } from './bundle-wish.ts';
import { deployProgress, type Progress } from './deploy-progress.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  chooseApplication,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { formatError } from './print-error.ts';
import { openSession, type Session } from './session.ts';
import { readSettings } from './settings.ts';

const RECORD_EVERY_MS = 2_000;
/** A server that is away for this many reads is gone, not restarting. */
const UNREACHABLE_READS = 15;

export function deployCommand(program: Command, io: CliIo): void {
  const command = program
    .command('deploy')
    .description('bring the application to all its platforms, together');
  withServer(withPlatforms(withConfiguration(command))).action(async (options: CommonOptions) => {
    const settings = readSettings(io, options.file);
    const application = chooseApplication(settings, options.app);
    const wish = await bundleWish(application, options.on);
    const session = await openSession(settings, options, io);
    try {
      await followDeployment(session, io, options, () => session.control.deploy(wish));
    } finally {
      await session.close();
    }
  });
}

/** Begins a deployment, shows it to its end and sets the exit status. Used by `deploy` and `deployments resume`. */
export async function followDeployment(
  session: Session,
  io: CliIo,
  options: CommonOptions,
  begin: () => Promise<{ readonly id: string; readonly release: Release }>,
  does = 'deploying',
): Promise<void> {
  const early: LoggedEvent[] = [];
  let id: string | undefined;
  let progress: Progress | undefined;
  let finish: () => void = () => {};
  const finished = new Promise<void>((done) => {
    finish = done;
  });
  function accept(event: LoggedEvent): void {
    if (!('deployment' in event)) return;
    if (id === undefined) early.push(event);
    else if (event.deployment === id) {
      progress?.accept(event);
      if (event.type === 'deployment.finished') finish();
    }
  }
  await session.follow(accept);
  const begun = await begin();
  id = begun.id;
  io.stderr(`${does} ${releaseLabel(begun.release)} (${begun.release.id}) as ${id}\n`);
  progress = deployProgress(io, options.json ?? false);
  for (const event of early) accept(event);

  onInterrupt(session, io, id, progress, finish);
  const record = await recordAtEnd(session, begun.id, finished);
  await session.settled();
  await progress.close();
  if (io.signal.aborted && session.kind === 'server') io.exit(130);
  else report(record, io);
}

/** With a server Ctrl-C only stops watching; alone it asks the deployment to stop at its next step. */
function onInterrupt(session: Session, io: CliIo, id: string, progress: Progress, finish: () => void): void {
  function interrupted(): void {
    if (session.kind === 'server') {
      progress.note(`${id} goes on in the server; see it with \`sluice deployments\``);
      finish();
    } else {
      progress.note(`stopping at the next step; go on later with \`sluice deployments resume ${id}\``);
    }
  }
  if (io.signal.aborted) interrupted();
  else io.signal.addEventListener('abort', interrupted, { once: true });
}

/** The stream is for showing; the journal is the truth, also when the stream broke for a moment. */
async function recordAtEnd(
  session: Session,
  id: string,
  seen: Promise<void>,
): Promise<DeploymentRecord | undefined> {
  let failures = 0;
  // A sleep left behind would keep this process after all is said.
  const over = new AbortController();
  void seen.then(() => over.abort());
  for (;;) {
    await systemClock.sleep(RECORD_EVERY_MS, over.signal).catch(() => undefined);
    try {
      const all = await session.control.deployments();
      const record = all.find((one) => one.id === id);
      if (over.signal.aborted || record?.outcome !== undefined) return record;
      failures = 0;
    } catch (error) {
      if (++failures >= UNREACHABLE_READS) throw error;
      // A controller that starts anew is back within seconds.
      if (over.signal.aborted) await systemClock.sleep(300);
    }
  }
}

function report(record: DeploymentRecord | undefined, io: CliIo): void {
  if (!record) {
    io.exit(1);
    return;
  }
  io.exit(exitStatusOf(record));
  const { why } = record.together ?? {};
  if (why !== undefined && record.outcome !== 'done') io.stderr(formatError(why));
  if (record.outcome === 'stopped') {
    io.stderr(`stopped; go on with \`sluice deployments resume ${record.id}\`\n`);
  }
}

/** 0 all done · 3 some · 130 stopped · taken back: why · else what the failures have in common, or 1. */
export function exitStatusOf(record: DeploymentRecord): number {
  if (record.outcome === 'done') return 0;
  if (record.outcome === 'rolledBack') return ERROR_CODES[record.together?.why?.code ?? 'BUG'].exit;
  if (record.outcome === 'partly') return ERROR_CODES.PARTLY_DONE.exit;
  if (record.outcome === 'stopped') return ERROR_CODES.INTERRUPTED.exit;
  const statuses = new Set<number>();
  for (const { error } of Object.values(record.targets))
    if (error) statuses.add(ERROR_CODES[error.code].exit);
  const [only] = statuses;
  return statuses.size === 1 && only !== undefined ? only : 1;
}
