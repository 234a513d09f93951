import type { ChildProcess } from 'node:child_process';
import type { Worker } from 'node:cluster';
import type { ToWorker } from '../core/messages.ts';
import type { Clock } from '../core/ports.ts';

export function tell(worker: Worker, message: ToWorker): void {
  // A worker that died a moment ago is replaced anyway.
  if (worker.isConnected()) worker.send(message, () => {});
}

/** Resolves when it has ended. SIGKILL when the time is over: an exchange that never ends must not keep the machine from shutting down. */
export function ended(child: ChildProcess, withinMs: number, clock: Clock): Promise<void> {
  return new Promise((done) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return done();
    const dispose = clock.after(withinMs, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      dispose();
      done();
    });
  });
}
