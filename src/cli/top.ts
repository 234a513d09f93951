import type { Command } from 'commander';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { formatStatus } from './status.ts';
import { dashboardOn } from './terminal-dashboard.ts';
import { openViewClient } from './view-client.ts';

export function topCommand(program: Command, io: CliIo): void {
  const command = program.command('top').description('the platforms, live');
  withServer(withConfiguration(command)).action(async (options: CommonOptions) => {
    const client = await openViewClient(options, io);
    try {
      const open = options.json ? undefined : await dashboardOn(io, options.color !== false);
      if (open === undefined) {
        const status = await client.status();
        io.stdout(options.json ? `${JSON.stringify(status)}\n` : formatStatus(status));
        if (!options.json) io.stderr('no terminal to show it live on: this is the status of now\n');
        return;
      }
      const dashboard = open('sluice top', client);
      io.signal.addEventListener('abort', () => dashboard.close(), { once: true });
      if (io.signal.aborted) dashboard.close();
      await dashboard.closed;
    } finally {
      await client.close();
    }
  });
}
