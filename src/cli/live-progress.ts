import { createWritable, DefaultRenderer, Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { EventType, LoggedEvent } from '../core/events.ts';
import { describeEvent, seconds } from '../events/describe.ts';
import type { Progress } from './deploy-progress.ts';
import type { CliIo } from './io.ts';
import { formatError } from './print-error.ts';

/** Draws to the command's own output, whose word on being a terminal has been taken already. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

type Started = Extract<LoggedEvent, { type: 'deployment.started' }>;

/** The line of what all platforms do together; no platform can have this name. */
const TOGETHER = '';
const TOLD_OF_ALL: ReadonlySet<EventType> = new Set([
  'deployment.step',
  'deployment.gate',
  'deployment.waiting',
  'deployment.takingBack',
]);

/** What is drawn of a platform. */
interface Row {
  title: string;
  output: string;
}

/** A platform's line; listr2 draws it some time after it was asked to, and events do not wait for that. */
class Lane {
  readonly ended: Promise<void>;
  end: (failure?: Error) => void = () => {};
  #row: Row | undefined;
  #title: string | undefined;
  #note: string | undefined;

  constructor() {
    this.ended = new Promise((done, fail) => {
      this.end = (failure) => (failure ? fail(failure) : done());
    });
    // It may fail before anybody draws it.
    this.ended.catch(() => undefined);
  }

  drawnBy(row: Row): Promise<void> {
    this.#row = row;
    if (this.#title !== undefined) row.title = this.#title;
    if (this.#note !== undefined) row.output = this.#note;
    return this.ended;
  }

  say(title: string): void {
    this.#title = title;
    if (this.#row) this.#row.title = title;
  }

  note(text: string): void {
    this.#note = text;
    if (this.#row) this.#row.output = text;
  }
}

/** One live line a platform: phase, last message, seconds. */
export function liveProgress(io: CliIo): Progress {
  const lanes = new Map<string, Lane>();
  const failures: string[] = [];
  let drawn: Promise<unknown> = Promise.resolve();

  function open({ platforms, strategy = 'rolling' }: Started): void {
    // A new controller goes on with what the last one began: the lines stand already.
    if (lanes.size > 0) return;
    if (strategy !== 'rolling') lanes.set(TOGETHER, new Lane());
    for (const platform of platforms) lanes.set(platform, new Lane());
    const list = new Listr<object, typeof LiveRenderer, 'simple'>(
      [...lanes].map(([title, lane]) => ({ title, task: (_context, row) => lane.drawnBy(row) })),
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

  function ended(event: Extract<LoggedEvent, { type: 'deployment.target' }>): void {
    if (event.error) failures.push(formatError(event.error));
    const lane = lanes.get(event.platform);
    lane?.say(describeEvent(event));
    const isWell = event.outcome === 'live' || event.outcome === 'rolledBack';
    lane?.end(isWell ? undefined : new Error(event.error?.message ?? event.outcome));
  }

  return {
    accept(event) {
      if (event.type === 'deployment.started') {
        open(event);
        const { strategy } = event;
        if (strategy !== undefined)
          lanes.get(TOGETHER)?.say(`${strategy}  all platforms get the release first`);
      } else if (event.type === 'deployment.finished') {
        const lane = lanes.get(TOGETHER);
        if (event.outcome === 'done') lane?.end();
        else lane?.end(new Error(event.outcome));
      } else if (TOLD_OF_ALL.has(event.type)) lanes.get(TOGETHER)?.say(describeEvent(event));
      else if (event.type === 'deployment.target') ended(event);
      else if (event.type === 'deployment.progress') {
        const { platform, phase, message, elapsedMs } = event;
        lanes.get(platform)?.say(`${platform}  ${phase} · ${message} · ${seconds(elapsedMs)}`);
      }
    },
    note(text) {
      // Between the lines it would be painted over.
      if (lanes.size === 0) io.stderr(`${text}\n`);
      for (const lane of lanes.values()) lane.note(text);
    },
    async close() {
      // Those that go on without us end here.
      for (const lane of lanes.values()) lane.end();
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
