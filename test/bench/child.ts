import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The core it is pinned to with taskset; undefined: not pinned. */
  readonly core: number | undefined;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** True for the line, on either stream, by which it says that it serves. */
  readonly ready: (line: string) => boolean;
}

/** A process that the bench started and will end. */
export interface Child {
  readonly name: string;
  /** taskset replaces itself by what it starts, so this is the program's own. */
  readonly pid: number;
  readonly readyLine: string;
  /** The last lines it printed. */
  lastLines(): readonly string[];
  /** Writes a line to its standard input and waits for its next line. */
  ask(line: string): Promise<string>;
  /** SIGTERM, then SIGKILL when it takes too long; idempotent. */
  stop(): Promise<void>;
}

const START_MS = 30_000;
const ANSWER_MS = 60_000;
const STOP_MS = 15_000;

export async function startChild(options: ChildOptions): Promise<Child> {
  const { name } = options;
  const [command, ...args] = pinned(options);
  const child = spawn(command!, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    // Our programs end by themselves when their standard input does: nothing stays behind if the bench is killed.
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is for the bench, which then ends the others in order.
    detached: true,
  });
  // A child that is gone is noticed by its exit, not by what we could not tell it.
  child.stdin!.on('error', () => {});
  const lines: string[] = [];
  let heard: ((line: string) => void) | undefined;
  const stop = (): Promise<void> => stopChild(child);
  try {
    const readyLine = await new Promise<string>((ready, fail) => {
      const refuse = (why: string): void => fail(notStarted(name, lines, why));
      const late = systemClock.after(START_MS, () => refuse(`not ready after ${START_MS / 1000} s`));
      function read(line: string): void {
        lines.push(line);
        if (lines.length > 50) lines.shift();
        heard?.(line);
        if (!options.ready(line)) return;
        late();
        ready(line);
      }
      createInterface({ input: child.stdout! }).on('line', read);
      createInterface({ input: child.stderr! }).on('line', read);
      child.on('error', (error) => refuse(error.message));
      child.on('exit', (code, signal) => refuse(`ended with ${signal ?? code}`));
    });
    const ask = (question: string): Promise<string> =>
      new Promise((answered, fail) => {
        const end = (finish: () => void): void => {
          heard = undefined;
          late();
          child.off('exit', ended);
          finish();
        };
        const ended = (): void => end(() => fail(new Error(`${name} ended: ${lines.slice(-3).join(' | ')}`)));
        const late = systemClock.after(ANSWER_MS, () =>
          end(() => fail(new Error(`${name} does not answer "${question}"`))),
        );
        child.once('exit', ended);
        heard = (line) => end(() => answered(line));
        child.stdin!.write(`${question}\n`);
      });
    return { name, pid: child.pid!, readyLine, lastLines: () => [...lines], ask, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function pinned(options: Pick<ChildOptions, 'command' | 'args' | 'core'>): readonly string[] {
  const words = [options.command, ...options.args];
  return options.core === undefined ? words : ['taskset', '-c', String(options.core), ...words];
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return done();
    const late = systemClock.after(STOP_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      late();
      done();
    });
    child.kill('SIGTERM');
  });
}

function notStarted(name: string, lines: readonly string[], why: string): SluiceError {
  return new SluiceError('NOT_HEALTHY', `cannot start ${name}`, {
    where: name,
    why,
    remedy: 'build first (npm run build), and read its last lines below',
    logTail: lines.slice(-15),
  });
}
