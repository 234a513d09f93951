import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { PowerAct } from '../core/operations.ts';
import { formatDuration } from '../core/units.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withPlatforms, withServer } from './options.ts';
import { printOutcomes } from './print-outcomes.ts';
import { meantApplication, openViewSession } from './view-session.ts';

interface PowerOptions extends CommonOptions {
  readonly process?: string;
  readonly reason: string;
  readonly atOnce?: boolean;
  readonly force?: boolean;
}

const SAYS: Readonly<Record<PowerAct, { readonly what: string; readonly done: string }>> = {
  stop: { what: 'end an application on its platforms; what is deployed there stays', done: 'stopped' },
  start: { what: 'run again what was stopped', done: 'runs' },
  restart: { what: 'run every instance anew, without an outage', done: 'runs anew' },
};

export function powerCommands(program: Command, io: CliIo): void {
  for (const act of ['stop', 'start', 'restart'] as const) powerCommand(program, io, act);
}

function powerCommand(program: Command, io: CliIo, act: PowerAct): void {
  const command = program
    .command(`${act} [application]`)
    .description(SAYS[act].what)
    .option('--reason <text>', 'why, for the others', '');
  if (act === 'stop') command.option('--force', 'also where nobody else would serve it any more');
  if (act === 'restart') {
    command
      .option('--process <name>', 'only this one: web, or one beside it')
      .option('--at-once', 'all platforms together, not one after the other');
  }
  withServer(withPlatforms(withConfiguration(command))).action(
    async (name: string | undefined, options: PowerOptions) => {
      const session = await openViewSession(options, io);
      try {
        const outcomes = await session.operations.power({
          act,
          application: await meantApplication(session, name, options, io),
          platforms: options.on,
          process: options.process,
          atOnce: options.atOnce === true,
          force: options.force === true,
          reason: options.reason,
          who: userInfo().username,
        });
        printOutcomes(
          outcomes,
          options,
          io,
          ({ tookMs = 0 }) => `${SAYS[act].done} after ${formatDuration(Math.max(1, tookMs))}`,
        );
      } finally {
        await session.close();
      }
    },
  );
}
