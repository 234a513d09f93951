import type { Command } from 'commander';
import type { LoggedEvent } from '../core/events.ts';
import { describeEvent } from '../events/describe.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, countOf, withConfiguration, withServer } from './options.ts';
import { openViewClient } from './view-client.ts';

export function eventsCommand(program: Command, io: CliIo): void {
  const command = program
    .command('events')
    .description('what happened: verdicts, decisions, ejections, deployments')
    .option('--follow', 'go on as it happens')
    .option('--last <n>', 'how many of the past', '50');
  withServer(withConfiguration(command)).action(
    async (options: CommonOptions & { readonly follow?: boolean; readonly last: string }) => {
      const last = countOf('--last', options.last);
      const client = await openViewClient(options, io);
      const print = (event: LoggedEvent): void =>
        io.stdout(
          options.json ? `${JSON.stringify(event)}\n` : `${isoTime(event.at)} ${describeEvent(event)}\n`,
        );
      try {
        const past = await client.eventsSince(0);
        const shown = last === 0 ? [] : past.slice(-last);
        for (const event of shown) print(event);
        if (options.follow) await client.follow(past.at(-1)?.seq ?? 0, print, io.signal);
      } finally {
        await client.close();
      }
    },
  );
}
