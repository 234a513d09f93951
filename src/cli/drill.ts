import type { Command } from 'commander';
import type { DrillRecord } from '../core/drill.ts';
import { ERROR_CODES, SluiceError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import { parseDuration } from '../core/units.ts';
import { describeEvent } from '../events/describe.ts';
import { systemClock } from '../lib/clock.ts';
import { isoTime } from '../lib/iso-time.ts';
import { formatDrill, formatDrills } from './drill-report.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import type { ServerClient } from './server-client.ts';
import { openViewClient } from './view-client.ts';

interface DrillOptions extends CommonOptions {
  readonly for?: string;
  readonly name?: string;
  readonly force?: boolean;
}

const RECORD_EVERY_MS = 2_000;
/** A server that is away for this many reads is gone, not restarting. */
const UNREACHABLE_READS = 15;

/** `sluice drill PLATFORM`: takes a platform out of service and shows that the others carry its traffic. */
export function drillCommand(program: Command, io: CliIo): void {
  const command = program
    .command('drill <platform>')
    .description('take a platform out of service for a while, and show that the others carry its traffic')
    .option('--for <duration>', 'how long; default: as configured, or 2m')
    .option('--name <drill>', 'the configured drill; default: the first of the platform')
    .option('--force', 'also when the others cannot carry all of it');
  withServer(withConfiguration(command)).action(async (platform: string, options: DrillOptions) => {
    const client = await openViewClient(options, io);
    try {
      await followDrill(client, platform, options, io);
    } finally {
      await client.close();
    }
  });
  const list = program.command('drills').description('what drills have shown, the newest last');
  withServer(withConfiguration(list)).action(async (options: CommonOptions) => {
    const client = await openViewClient(options, io);
    try {
      const all = await client.drills();
      const shown = all.filter(({ application }) => options.app === undefined || application === options.app);
      if (options.json) for (const drill of shown) io.stdout(`${JSON.stringify(drill)}\n`);
      else io.stdout(shown.length === 0 ? 'no drill yet\n' : formatDrills(shown));
    } finally {
      await client.close();
    }
  });
}

async function followDrill(
  client: ServerClient,
  platform: string,
  options: DrillOptions,
  io: CliIo,
): Promise<void> {
  const forMs = durationOf(options.for);
  const over = new AbortController();
  const early: LoggedEvent[] = [];
  let drill: DrillRecord | undefined;

  function accept(event: LoggedEvent): void {
    if (drill === undefined) {
      early.push(event);
      return;
    }
    if (!concerns(event, drill)) return;
    if (options.json) io.stdout(`${JSON.stringify(event)}\n`);
    else io.stderr(`${isoTime(event.at)} ${describeEvent(event)}\n`);
    if (event.type === 'drill.finished') over.abort();
  }

  const watching = new Promise<void>((tried) => {
    client.follow('now', accept, over.signal, tried).then(tried, () => tried());
  });
  try {
    await watching;
    const { app: application, name, force } = options;
    drill = await client.drill({ platform, application, name, forMs, force: force === true });
    for (const event of early) accept(event);
    const record = await atItsEnd(client, drill, AbortSignal.any([over.signal, io.signal]));
    if (record?.finishedAt === undefined) {
      io.stderr(`${drill.id} goes on in the server; \`sluice undrain ${platform}\` ends it\n`);
      io.exit(ERROR_CODES.INTERRUPTED.exit);
      return;
    }
    io.stdout(options.json ? `${JSON.stringify(record)}\n` : formatDrill(record));
    io.exit(record.outcome === 'passed' ? 0 : 1);
  } finally {
    over.abort();
  }
}

/** Events are for showing; what is kept is the truth, also when the stream broke for a moment. */
async function atItsEnd(
  client: ServerClient,
  drill: DrillRecord,
  over: AbortSignal,
): Promise<DrillRecord | undefined> {
  let failures = 0;
  for (;;) {
    await systemClock.sleep(RECORD_EVERY_MS, over).catch(() => undefined);
    try {
      const record = (await client.drills()).find(({ id }) => id === drill.id);
      if (over.aborted || record?.finishedAt !== undefined) return record;
      failures = 0;
    } catch (error) {
      if (over.aborted || ++failures >= UNREACHABLE_READS) throw error;
    }
  }
}

/** Its own events, and what moves the traffic of its application meanwhile. */
function concerns(event: LoggedEvent, { id, application }: DrillRecord): boolean {
  if ('drill' in event) return event.drill === id;
  return (
    (event.type === 'decision.made' || event.type === 'verdict.changed') && event.application === application
  );
}

function durationOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const parsed = parseDuration(given);
  if (parsed.ok && parsed.value >= 1_000) return parsed.value;
  throw new SluiceError('USAGE', `--for "${given}" is ${parsed.ok ? 'too short' : parsed.fault}`, {
    remedy: parsed.ok ? 'at least 1s' : parsed.remedy,
  });
}
