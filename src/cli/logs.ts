import type { Command } from 'commander';
import { ERROR_CODES, fromWire, SluiceError } from '../core/errors.ts';
import { LOG_SOURCES, type LogEntry, type LogSource, type LogsWish } from '../core/logs.ts';
import { systemClock } from '../lib/clock.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  countOf,
  durationOf,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { meantApplication, openViewSession } from './view-session.ts';

interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly lines: string;
  readonly source?: readonly string[];
}

export function logsCommand(program: Command, io: CliIo): void {
  const command = program
    .command('logs [application]')
    .description('what an application prints, on all its platforms, in the order of time')
    .option('--follow', 'go on as it is printed')
    .option('--since <duration>', 'not older than this: 10m')
    .option('--lines <n>', 'how many of the past', '100')
    .option('--source <name...>', `only these: ${LOG_SOURCES.join(', ')}`);
  withServer(withPlatforms(withConfiguration(command))).action(
    async (name: string | undefined, options: LogsOptions) => {
      const session = await openViewSession(options, io);
      try {
        const wish = wishOf(await meantApplication(session, name, options, io), options);
        const told = await print(session.logs(wish, io.signal), options, io);
        if (told.unread.length === 0 || io.signal.aborted) return;
        if (told.lines === 0) throw told.unread[0];
        io.exit(ERROR_CODES.PARTLY_DONE.exit);
      } finally {
        await session.close();
      }
    },
  );
}

function wishOf(application: string, options: LogsOptions): LogsWish {
  const lines = countOf('--lines', options.lines);
  if (lines < 1 || lines > 10_000) {
    throw new SluiceError('USAGE', `--lines ${lines} is too ${lines < 1 ? 'few' : 'many'}`, {
      remedy: 'use 1 to 10000',
    });
  }
  const sinceMs = durationOf('--since', options.since);
  return {
    ...{ application, lines, platforms: options.on, follow: options.follow === true },
    since: sinceMs === undefined ? undefined : systemClock.now() - sinceMs,
    sources: options.source?.map(sourceNamed),
  };
}

function sourceNamed(given: string): LogSource {
  const found = LOG_SOURCES.find((source) => source === given);
  if (found !== undefined) return found;
  throw new SluiceError('USAGE', `there is no source "${given}"`, {
    remedy: `name some of: ${LOG_SOURCES.join(', ')}`,
  });
}

async function print(
  entries: AsyncIterable<LogEntry>,
  { json }: LogsOptions,
  io: CliIo,
): Promise<{ readonly lines: number; readonly unread: readonly SluiceError[] }> {
  let lines = 0;
  const unread: SluiceError[] = [];
  for await (const entry of entries) {
    if (entry.source === 'sluice') {
      if (entry.error !== undefined) unread.push(fromWire(entry.error));
    } else lines += 1;
    if (json) io.stdout(`${JSON.stringify(entry)}\n`);
    // Our own words are no output of the application's.
    else (entry.source === 'sluice' ? io.stderr : io.stdout)(formatEntry(entry));
  }
  return { lines, unread };
}

/** `2026-11-20T20:36:38.000Z rack r42 app 0 | listening`. */
export function formatEntry({ at, platform, release, number, source, instance, text }: LogEntry): string {
  if (source === 'sluice') return `${isoTime(at)} ${platform ?? 'all'}: ${text}\n`;
  const label = number === undefined ? (release ?? '-') : `r${number}`;
  // Of `shop/r-0123456789/0` only the last part says more than the columns do.
  const which = instance?.split('/').at(-1) ?? '-';
  return `${isoTime(at)} ${platform ?? '-'} ${label} ${source} ${which} | ${text}\n`;
}
