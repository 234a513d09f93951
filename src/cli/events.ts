import { type Command, Option } from 'commander';
import type { LoggedEvent } from '../core/events.ts';
import { describeEvent } from '../events/describe.ts';
import { EVENT_SOURCES, type EventSource, happenedAt, inOrder, sourceOf } from '../events/timeline.ts';
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
import { openViewClient } from './view-client.ts';

interface EventsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly last: string;
  readonly source?: EventSource;
}

export function eventsCommand(program: Command, io: CliIo): void {
  const command = program
    .command('events')
    .description('what happened: verdicts, decisions, ejections, deployments, and what platforms tell')
    .option('--follow', 'go on as it happens')
    .option('--since <duration>', 'not older than this: 10m')
    .option('--last <n>', 'how many of the past', '50')
    .addOption(
      new Option(
        '--source <source>',
        'only what these tell: platforms themselves, whoever deploys, decisions',
      ).choices(EVENT_SOURCES),
    );
  withServer(withPlatforms(withConfiguration(command))).action(async (options: EventsOptions) => {
    const last = countOf('--last', options.last);
    const sinceMs = durationOf('--since', options.since);
    const from = sinceMs === undefined ? 0 : systemClock.now() - sinceMs;
    const client = await openViewClient(options, io);
    const print = (event: LoggedEvent): void =>
      io.stdout(
        options.json
          ? `${JSON.stringify(event)}\n`
          : `${isoTime(happenedAt(event))} ${describeEvent(event)}\n`,
      );
    try {
      const past = await client.eventsSince(0);
      const meant = past.filter((event) => happenedAt(event) >= from && isMeant(event, options));
      for (const event of last === 0 ? [] : inOrder(meant).slice(-last)) print(event);
      if (!options.follow) return;
      const news = (event: LoggedEvent): void => (isMeant(event, options) ? print(event) : undefined);
      await client.follow(past.at(-1)?.seq ?? 0, news, io.signal);
    } finally {
      await client.close();
    }
  });
}

/** What names neither an application nor a platform is about all of them. */
export function isMeant(
  event: LoggedEvent,
  { app, on, source }: Pick<EventsOptions, 'app' | 'on' | 'source'>,
): boolean {
  if (source !== undefined && sourceOf(event) !== source) return false;
  if (app !== undefined && 'application' in event && event.application !== app) return false;
  if (on === undefined) return true;
  if ('platform' in event) return on.some((name) => name === event.platform);
  return !('platforms' in event) || event.platforms.some((name) => on.includes(name));
}
