import type { LoggedEvent } from '../core/events.ts';
import { describeEvent } from '../events/describe.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { liveProgress } from './live-progress.ts';
import { formatError } from './print-error.ts';

/** Shows a deployment as its events come in. */
export interface Progress {
  accept(event: LoggedEvent): void;
  /** A word to the person who watches. */
  note(text: string): void;
  /** Resolves when the last of it is on the screen; also when the deployment goes on without us. */
  close(): Promise<void>;
}

/** NDJSON for programs, live lines on a terminal, else one plain line an event. */
export function deployProgress(io: CliIo, json: boolean): Progress {
  if (json) return ndjson(io);
  return io.isTty ? liveProgress(io) : plainLines(io);
}

function ndjson(io: CliIo): Progress {
  return {
    accept: (event) => io.stdout(`${JSON.stringify(event)}\n`),
    note: (text) => io.stderr(`${text}\n`),
    async close() {},
  };
}

function plainLines(io: CliIo): Progress {
  return {
    accept(event) {
      io.stdout(`${isoTime(event.at)} ${describeEvent(event)}\n`);
      if (event.type === 'deployment.target' && event.error) io.stderr(formatError(event.error));
    },
    note: (text) => io.stderr(`${text}\n`),
    async close() {},
  };
}
