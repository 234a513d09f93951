import type { Command } from 'commander';
import { readConfiguration, type ServeOptions } from '../app/configuration.ts';
import { lacksAffinityKey, withAffinityKey } from '../app/installation-key.ts';
import { createSupervisor } from '../app/supervisor.ts';
import { configInvalid } from '../config/load.ts';
import { formatDiagnostic } from '../core/diagnostics.ts';
import type { Settings } from '../core/settings.ts';
import { systemClock } from '../lib/clock.ts';
import { fileStore } from '../state/file-store.ts';
import type { CliIo } from './io.ts';
import { commandLogger } from './logging.ts';

export function serveCommand(program: Command, io: CliIo, main: string, args: readonly string[]): void {
  withServeOptions(program.command('serve').description('the gateway: probes, decides, serves')).action(
    async (options: ServeOptions) => {
      // Read here first, so that a bad file costs nothing and says why before anything starts.
      const settings = await serveSettings(options, io);
      const supervisor = createSupervisor({
        main,
        args,
        gateway: settings.gateway,
        env: io.env,
        clock: systemClock,
        logger: commandLogger(io, options.json ?? false, settings.secrets, 'supervisor'),
      });
      // Also when a terminal goes: then nobody reads our output any more, and requests go on.
      io.onHangUp?.(() => supervisor.reload());
      try {
        const listening = await supervisor.start();
        io.stderr(greeting(settings, listening));
        if (options.json) io.stdout(`${JSON.stringify({ type: 'listening', ...listening })}\n`);
        await new Promise<void>((done) => {
          if (io.signal.aborted) done();
          else io.signal.addEventListener('abort', () => done(), { once: true });
        });
        io.stderr('draining\n');
      } finally {
        await supervisor.close();
      }
    },
  );
}

export function withServeOptions(command: Command): Command {
  return command
    .option('-f, --file <path>', 'the configuration', 'sluice.yaml')
    .option('--origin <name=url...>', 'serve these running origins, without any file')
    .option('--port <port>', 'listen here instead of gateway.listen')
    .option('--admin-port <port>', 'admin API here instead of gateway.admin.port')
    .option('--policy <preset>', 'with --origin: the preset to use')
    .option('--state <dir>', 'keep state here instead of state.dir')
    .option('--json', 'log as NDJSON and print one line with the ports on standard output');
}

/** All that can be said of the file is said here, before anything starts; the controller reads it once more. */
async function serveSettings(options: ServeOptions, io: CliIo): Promise<Settings> {
  const { settings, diagnostics } = readConfiguration(options, io);
  if (settings === undefined) throw configInvalid(options.file, diagnostics);
  io.hide?.(settings.secrets);
  for (const warning of diagnostics) io.stderr(`${formatDiagnostic(warning)}\n`);
  if (!lacksAffinityKey(settings)) return settings;
  return await withAffinityKey(settings, await fileStore(settings.state.dir, systemClock));
}

function greeting(settings: Settings, listening: { ports: readonly number[]; adminPort: number }): string {
  const platforms = Object.keys(settings.platforms).join(', ');
  const ports = listening.ports
    .map((port, i) => `${settings.gateway.listen[i]?.tls ? 'https' : 'http'}://127.0.0.1:${port}`)
    .join(' ');
  return `sluice serves ${platforms} on ${ports}, admin on http://127.0.0.1:${listening.adminPort}\n`;
}
