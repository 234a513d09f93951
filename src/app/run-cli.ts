import { Command, CommanderError } from 'commander';
import { actCommands } from '../cli/acts.ts';
import { demoCommand } from '../cli/demo.ts';
import { deployCommand } from '../cli/deploy.ts';
import { deploymentsCommand } from '../cli/deployments.ts';
import { destroyCommand } from '../cli/destroy.ts';
import { doctorCommand } from '../cli/doctor.ts';
import { drillCommand } from '../cli/drill.ts';
import { eventsCommand } from '../cli/events.ts';
import { explainCommand } from '../cli/explain.ts';
import { hostCommand } from '../cli/host.ts';
import { initCommand } from '../cli/init.ts';
import type { CliIo } from '../cli/io.ts';
import { localCommand } from '../cli/local.ts';
import { lockCommand } from '../cli/lock.ts';
import { logsCommand } from '../cli/logs.ts';
import { planCommand } from '../cli/plan.ts';
import { powerCommands } from '../cli/power.ts';
import { formatCaught } from '../cli/print-error.ts';
import { redactingIo } from '../cli/redacting-io.ts';
import { releasesCommand } from '../cli/releases.ts';
import { rollbackCommand } from '../cli/rollback.ts';
import { runCommand } from '../cli/run.ts';
import { scaleCommand } from '../cli/scale.ts';
import { serveCommand } from '../cli/serve.ts';
import { simulateCommand } from '../cli/simulate.ts';
import { statusCommand } from '../cli/status.ts';
import { tasksCommand } from '../cli/tasks.ts';
import { topCommand } from '../cli/top.ts';
import { validateCommand } from '../cli/validate.ts';
import { ERROR_CODES } from '../core/errors.ts';
import { SLUICE_VERSION } from './version.ts';

/** argv → command → exit status. */
export async function runCli(args: readonly string[], main: string): Promise<void> {
  const io = redactingIo(processIo());
  const program = buildProgram(io, main, args);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (caught) {
    if (caught instanceof CommanderError) {
      // Help and version are no failures; commander has printed what was wrong itself.
      io.exit(caught.exitCode === 0 ? 0 : ERROR_CODES.USAGE.exit);
    } else {
      const { text, status } = formatCaught(caught);
      io.stderr(text);
      io.exit(status);
    }
  }
}

export function buildProgram(io: CliIo, main: string, args: readonly string[]): Command {
  const program = new Command('sluice')
    .description('Deploys one application to several platforms and moves traffic to whichever are healthy.')
    .version(SLUICE_VERSION)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr });
  // Inherited only by commands made afterwards.
  demoCommand(program, io, main);
  initCommand(program, io);
  doctorCommand(program, io);
  validateCommand(program, io);
  planCommand(program, io);
  deployCommand(program, io);
  deploymentsCommand(program, io);
  rollbackCommand(program, io);
  releasesCommand(program, io);
  lockCommand(program, io);
  destroyCommand(program, io);
  serveCommand(program, io, main, args);
  hostCommand(program, io);
  localCommand(program, io);
  statusCommand(program, io);
  topCommand(program, io);
  eventsCommand(program, io);
  logsCommand(program, io);
  scaleCommand(program, io);
  powerCommands(program, io);
  runCommand(program, io);
  tasksCommand(program, io);
  explainCommand(program, io);
  actCommands(program, io);
  drillCommand(program, io);
  simulateCommand(program, io);
  return program;
}

function processIo(): CliIo {
  const stopping = new AbortController();
  let asked = false;
  function onSignal(): void {
    // The second time means: now, whatever is under way.
    if (asked) process.exit(ERROR_CODES.INTERRUPTED.exit);
    asked = true;
    stopping.abort();
  }
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // For children of ours: whoever holds the other end of this pipe is gone when it breaks, even by SIGKILL.
  if (process.env['SLUICE_STOP_WITH_STDIN'] === '1') {
    process.stdin.on('end', onSignal).on('error', onSignal).resume();
    process.stdin.unref?.();
  }
  // `sluice events | head` closes our output early; that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  // Nor is a log that nobody reads any more.
  process.stderr.on('error', () => undefined);
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 80,
    // Asked for late: looking at standard input alone opens it.
    get terminal() {
      const usable = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && process.stdin.isTTY;
      return usable ? { input: process.stdin, output: process.stdout } : undefined;
    },
    signal: stopping.signal,
    onHangUp: (listener) => void process.on('SIGHUP', listener),
    exit(status) {
      process.exitCode = status;
    },
  };
}
