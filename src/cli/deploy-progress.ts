import { Listr } from 'listr2';
import type { LoggedEvent } from '../core/events.ts';
import { describeEvent, seconds } from '../events/describe.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { formatError } from './print-error.ts';

/** Shows a deployment as its events come in. */
export interface Progress {
  accept(event: LoggedEvent): void;
  close(): void;
}

export function deployProgress(io: CliIo, json: boolean): Progress {
  if (json) return ndjson(io);
  return io.isTty ? liveLines(io) : plainLines(io);
}

function ndjson(io: CliIo): Progress {
  return {
    accept: (event) => io.stdout(`${JSON.stringify(event)}\n`),
    close() {},
  };
}

function plainLines(io: CliIo): Progress {
  return {
    accept(event) {
      io.stdout(`${isoTime(event.at)} ${describeEvent(event)}\n`);
      if (event.type === 'deployment.target' && event.error) io.stderr(formatError(event.error));
    },
    close() {},
  };
}

interface Lane {
  end(event: Extract<LoggedEvent, { type: 'deployment.target' }>): void;
  say(text: string): void;
}

/** One live line a platform: phase, last message, seconds. */
function liveLines(io: CliIo): Progress {
  const lanes = new Map<string, Lane>();
  const failures: string[] = [];

  function open(platforms: readonly string[]): void {
    const list = new Listr<object>(
      platforms.map((platform) => ({
        title: platform,
        task: (_context, task) => lane(platform, task, lanes),
      })),
      { concurrent: true, exitOnError: false },
    );
    void list.run().catch(() => undefined);
  }

  return {
    accept(event) {
      if (event.type === 'deployment.started') open(event.platforms);
      else if (event.type === 'deployment.progress') {
        lanes.get(event.platform)?.say(`${event.phase} · ${event.message} · ${seconds(event.elapsedMs)}`);
      } else if (event.type === 'deployment.target') {
        lanes.get(event.platform)?.end(event);
        if (event.error) failures.push(formatError(event.error));
      }
    },
    close() {
      for (const text of failures) io.stderr(text);
    },
  };
}

function lane(platform: string, task: { title: string }, lanes: Map<string, Lane>): Promise<void> {
  return new Promise((done, fail) => {
    lanes.set(platform, {
      say(text) {
        task.title = `${platform}  ${text}`;
      },
      end(event) {
        task.title = describeEvent({ ...event });
        if (event.outcome === 'live') done();
        else fail(new Error(event.error?.message ?? event.outcome));
      },
    });
  });
}
