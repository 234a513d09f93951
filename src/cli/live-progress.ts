import { createWritable, DefaultRenderer, Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { LoggedEvent } from '../core/events.ts';
import { describeEvent, seconds } from '../events/describe.ts';
import type { Progress } from './deploy-progress.ts';
import type { CliIo } from './io.ts';
import { formatError } from './print-error.ts';

/** Draws to the command's own output, whose word on being a terminal has been taken already. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

/** A platform's line: its title is what the person reads. */
interface Lane {
  readonly row: { title: string; output: string };
  readonly end: (failure?: Error) => void;
}

/** One live line a platform: phase, last message, seconds. */
export function liveProgress(io: CliIo): Progress {
  const lanes = new Map<string, Lane>();
  const failures: string[] = [];
  let drawn: Promise<unknown> = Promise.resolve();

  function open(platforms: readonly string[]): void {
    const list = new Listr<object, typeof LiveRenderer, 'simple'>(
      platforms.map((platform) => ({
        title: platform,
        task: (_context, row) =>
          new Promise<void>((done, fail) => {
            lanes.set(platform, { row, end: (failure) => (failure ? fail(failure) : done()) });
          }),
      })),
      {
        concurrent: true,
        exitOnError: false,
        renderer: LiveRenderer,
        rendererOptions: { logger: loggerTo(io) },
        // Ctrl-C is ours: the deployment stops at its next step, and the list must live to show it.
        registerSignalListeners: false,
      },
    );
    drawn = list.run().catch(() => undefined);
  }

  function show(event: Extract<LoggedEvent, { type: 'deployment.target' }>): void {
    const lane = lanes.get(event.platform);
    lanes.delete(event.platform);
    if (event.error) failures.push(formatError(event.error));
    if (!lane) return;
    lane.row.title = describeEvent(event);
    lane.end(event.outcome === 'live' ? undefined : new Error(event.error?.message ?? event.outcome));
  }

  return {
    accept(event) {
      if (event.type === 'deployment.started') open(event.platforms);
      else if (event.type === 'deployment.target') show(event);
      else if (event.type === 'deployment.progress') {
        const { platform, phase, message, elapsedMs } = event;
        const lane = lanes.get(platform);
        if (lane) lane.row.title = `${platform}  ${phase} · ${message} · ${seconds(elapsedMs)}`;
      }
    },
    note(text) {
      // Between the lines it would be painted over.
      if (lanes.size === 0) io.stderr(`${text}\n`);
      for (const { row } of lanes.values()) row.output = text;
    },
    async close() {
      for (const { end } of lanes.values()) end();
      await drawn;
      for (const text of failures) io.stderr(text);
    },
  };
}

function loggerTo(io: CliIo): ListrLogger {
  const out = Object.assign(createWritable(io.stdout), { columns: io.columns });
  // listr2 asks for a terminal's stream and uses `write` and `columns` of it.
  const terminal = out as unknown as NodeJS.WriteStream;
  return new ListrLogger({
    useIcons: true,
    toStderr: [],
    processOutput: new ProcessOutput(terminal, createWritable(io.stderr) as unknown as NodeJS.WriteStream),
  });
}
