import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SluiceError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';

export interface DemoChild {
  readonly name: string;
  readonly pid: number;
  /** The first JSON line it printed. */
  readonly facts: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /** True: it prints one JSON line when it is ready. False: it is ready once its greeting appears on stderr. */
  readonly printsFacts: boolean;
}

const START_MS = 20_000;
const STOP_MS = 15_000;

/**
 * Starts one of our own programs. It holds our end of a pipe as its standard input, and ends by itself when that
 * pipe breaks: so nothing is left running even if the demo gets SIGKILL.
 */
export async function startChild(options: ChildOptions): Promise<DemoChild> {
  const { name, clock } = options;
  const child = spawn(process.execPath, [options.main, ...options.args], {
    cwd: options.cwd,
    env: { ...options.env, SLUICE_STOP_WITH_STDIN: '1' } as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is for the demo, which ends the others in order.
    detached: true,
  });
  const errors: string[] = [];
  const stderr = createInterface({ input: child.stderr! });
  const stdout = createInterface({ input: child.stdout! });
  try {
    const facts = await new Promise<Record<string, unknown>>((ready, fail) => {
      const late = clock.after(START_MS, () =>
        fail(notStarted(name, errors, `not ready after ${START_MS / 1000} s`)),
      );
      const done = (value: Record<string, unknown>): void => {
        late();
        ready(value);
      };
      stderr.on('line', (line) => {
        errors.push(line);
        if (errors.length > 50) errors.shift();
        if (!options.printsFacts && line.includes('listens on')) done({});
      });
      stdout.on('line', (line) => {
        if (options.printsFacts && line.startsWith('{')) done(JSON.parse(line) as Record<string, unknown>);
      });
      child.on('error', (error) => fail(notStarted(name, errors, error.message)));
      child.on('exit', (code, signal) => fail(notStarted(name, errors, `ended with ${signal ?? code}`)));
    });
    return { name, pid: child.pid!, facts, stop: () => stopChild(child, clock) };
  } catch (error) {
    await stopChild(child, clock);
    throw error;
  }
}

function stopChild(child: ChildProcess, clock: Clock): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return done();
    const late = clock.after(STOP_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      late();
      done();
    });
    child.kill('SIGTERM');
  });
}

function notStarted(name: string, errors: readonly string[], why: string): SluiceError {
  return new SluiceError('NOT_HEALTHY', `the demo could not start ${name}`, {
    where: name,
    why,
    remedy: 'read its last lines below',
    logTail: errors.slice(-15),
  });
}
