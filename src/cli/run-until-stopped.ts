import type { Runnable } from '../core/ports.ts';
import type { CliIo } from './io.ts';

/** Starts something that serves, says that it does, and closes it when the person or the system asks. */
export async function runUntilStopped(part: Runnable, io: CliIo, greeting: () => string): Promise<void> {
  await part.start();
  io.stderr(`${greeting()}\n`);
  await new Promise<void>((done) => {
    if (io.signal.aborted) done();
    else io.signal.addEventListener('abort', () => done(), { once: true });
  });
  await part.close();
}
