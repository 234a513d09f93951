import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  countOf,
  durationOf,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { printOutcomes } from './print-outcomes.ts';
import { meantApplication, openViewSession } from './view-session.ts';

interface ScaleOptions extends CommonOptions {
  readonly instances?: string;
  readonly reset?: boolean;
  readonly for?: string;
  readonly reason: string;
  readonly force?: boolean;
}

export function scaleCommand(program: Command, io: CliIo): void {
  const command = program
    .command('scale [application]')
    .description('run another number of instances than is configured')
    .option('--instances <n>', 'so many on each of the platforms')
    .option('--reset', 'as configured again')
    .option(
      '--for <duration>',
      'until then; left out: until it is scaled again or the configured number changes',
    )
    .option('--reason <text>', 'why, for the others', '')
    .option('--force', 'also beyond maxInstances, and while the policy is frozen');
  withServer(withPlatforms(withConfiguration(command))).action(
    async (name: string | undefined, options: ScaleOptions) => {
      if ((options.instances === undefined) === (options.reset !== true)) {
        throw new SluiceError('USAGE', 'say how many instances', {
          remedy: 'pass --instances N, or --reset for as many as are configured',
        });
      }
      const instances =
        options.instances === undefined ? undefined : countOf('--instances', options.instances);
      const forMs = durationOf('--for', options.for);
      const session = await openViewSession(options, io);
      try {
        const application = await meantApplication(session, name, options, io);
        const { reason } = options;
        const outcomes = await session.operations.scale({
          ...{ application, instances, forMs, reason },
          platforms: options.on,
          force: options.force === true,
          who: userInfo().username,
        });
        printOutcomes(outcomes, options, io, ({ from, to, tookMs = 0 }) =>
          from === to
            ? `${to} instances, as before`
            : `${from} → ${to} instances in ${formatDuration(Math.max(1, tookMs))}`,
        );
      } finally {
        await session.close();
      }
    },
  );
}
