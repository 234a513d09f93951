import type { Command } from 'commander';
import { createSupervisor } from '../app/supervisor.ts';
import { originsSettings, parseOrigin } from '../config/inline.ts';
import { SluiceError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import { systemClock } from '../lib/clock.ts';
import type { CliIo } from './io.ts';
import { commandLogger } from './logging.ts';
import { readSettings } from './settings.ts';

export interface ServeOptions {
  readonly file: string;
  readonly origin?: string[];
  readonly port?: string;
  readonly adminPort?: string;
  readonly policy?: string;
  readonly state?: string;
  readonly json?: boolean;
}

export function serveCommand(program: Command, io: CliIo, main: string, args: readonly string[]): void {
  withServeOptions(program.command('serve').description('the gateway: probes, decides, serves')).action(
    async (options: ServeOptions) => {
      // Read here first, so that a bad file costs nothing and says why before anything starts.
      const settings = serveSettings(options, io);
      const supervisor = createSupervisor({
        main,
        args,
        gateway: settings.gateway,
        env: io.env,
        clock: systemClock,
        logger: commandLogger(io, options.json ?? false, settings.secrets, 'supervisor'),
      });
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

/** The same in supervisor and controller: both are started with the same arguments. */
export function serveSettings(options: ServeOptions, io: CliIo): Settings {
  const read = options.origin
    ? originsSettings(options.origin.map(parseOrigin), {
        cwd: io.cwd,
        ...(options.policy ? { policy: options.policy } : {}),
      })
    : readSettings(io, options.file);
  const { gateway } = read;
  return {
    ...read,
    state: options.state === undefined ? read.state : { ...read.state, dir: options.state },
    gateway: {
      ...gateway,
      listen:
        options.port === undefined
          ? gateway.listen
          : [{ ...gateway.listen[0]!, port: portIn(options.port, '--port') }],
      admin:
        options.adminPort === undefined
          ? gateway.admin
          : { ...gateway.admin, port: portIn(options.adminPort, '--admin-port') },
    },
  };
}

function portIn(text: string, option: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new SluiceError('USAGE', `${option} "${text}" is no port`, {
    remedy: 'use a number from 0 to 65535',
  });
}

function greeting(settings: Settings, listening: { ports: readonly number[]; adminPort: number }): string {
  const platforms = Object.keys(settings.platforms).join(', ');
  const ports = listening.ports.map((port) => `http://127.0.0.1:${port}`).join(' ');
  return `sluice serves ${platforms} on ${ports}, admin on http://127.0.0.1:${listening.adminPort}\n`;
}
