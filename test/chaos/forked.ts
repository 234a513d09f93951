import { type ChildProcess, fork } from 'node:child_process';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';

/** A program of this folder in a process of its own, spoken to by messages. */
export interface Forked<In, Out> {
  readonly pid: number;
  send(message: In): void;
  /** The next message that is one of these; rejects when the process ends instead, or after `withinMs`. */
  next<Wanted extends Out>(what: string, wanted: (message: Out) => message is Wanted): Promise<Wanted>;
  onMessage(listener: (message: Out) => void): () => void;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, which also ends a process that is stopped; resolves when it is gone. */
  kill(): Promise<void>;
}

const ANSWER_MS = 30_000;

/**
 * `path` is the compiled program. What it says is not checked, for it is our own. It should end when its channel does
 * (`process.on('disconnect')`): then nothing stays behind when we are killed.
 */
export function forkProgram<In extends object, Out>(path: string, args: readonly string[]): Forked<In, Out> {
  const child: ChildProcess = fork(path, [...args], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Ctrl-C is for the one who started us all.
    detached: true,
    execArgv: [],
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });

  // One listener for good: without any, Node would keep what comes and hand it to the next who listens, as if it were new.
  const listeners = new Set<(message: Out) => void>();
  child.on('message', (message) => {
    for (const listener of listeners) listener(message as Out);
  });

  function onMessage(listener: (message: Out) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return {
    pid: child.pid ?? 0,
    onMessage,
    send(message) {
      // One that has just been killed hears nothing, and whoever killed it knows.
      if (child.connected) child.send(message, () => {});
    },
    next<Wanted extends Out>(what: string, wanted: (message: Out) => message is Wanted) {
      return new Promise<Wanted>((resolve, reject) => {
        const stop = onMessage((message) => {
          if (!wanted(message)) return;
          end();
          resolve(message);
        });
        const late = systemClock.after(ANSWER_MS, () => fail(`nothing for ${ANSWER_MS / 1000} s`));
        function end(): void {
          late();
          stop();
        }
        function fail(why: string): void {
          end();
          reject(
            new SluiceError('NOT_HEALTHY', `one of our processes did not say "${what}"`, {
              where: path,
              why,
            }),
          );
        }
        void gone.then(() => fail(`it has ended (${child.signalCode ?? child.exitCode})`));
      });
    },
    signal: (name) => void child.kill(name),
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await gone;
    },
  };
}
