import type { ToWorker } from '../core/messages.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createLogger } from '../observe/logger.ts';
import { outliveChannel } from './lost-channel.ts';
import { runWorker } from './worker.ts';

/** A cluster worker: speaks to the supervisor over the process channel. */
export function runWorkerProcess(): void {
  // Ctrl-C reaches the whole group; the supervisor alone decides when workers drain.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  // A terminal that goes tells the whole group; the supervisor alone makes something of it.
  process.on('SIGHUP', () => undefined);
  // Whoever read our log is gone; requests go on.
  process.stderr.on('error', () => undefined);
  outliveChannel(process);
  const index = Number(process.env['SLUICE_WORKER'] ?? 0);
  runWorker({
    index,
    clock: systemClock,
    random: systemRandom,
    // Of secrets workers know the keys of certificates only, and log no settings: there is nothing to redact.
    logger: createLogger({
      level: process.env['SLUICE_LOG'] ?? 'info',
      redact: (line) => line,
      write: (line) => void process.stderr.write(line),
      json: process.stderr.isTTY !== true,
      name: `worker ${index}`,
    }),
    channel: {
      send(message) {
        // The supervisor may go at any moment; then so do we.
        if (process.connected) process.send?.(message, undefined, {}, () => undefined);
      },
      onMessage: (listener) => void process.on('message', (message) => listener(message as ToWorker)),
      onDisconnect: (listener) => void process.on('disconnect', listener),
    },
    exit: (status) => process.exit(status),
  });
}
