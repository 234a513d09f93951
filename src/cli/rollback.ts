import type { Command } from 'commander';
import { followDeployment } from './deploy.ts';
import type { CliIo } from './io.ts';
import {
  type CommonOptions,
  chooseApplication,
  withConfiguration,
  withPlatforms,
  withServer,
} from './options.ts';
import { openSession } from './session.ts';
import { readSettings } from './settings.ts';

interface RollbackOptions extends CommonOptions {
  readonly force?: boolean;
}

export function rollbackCommand(program: Command, io: CliIo): void {
  const command = program
    .command('rollback [release]')
    .description('bring a release back everywhere, code and configuration; without a name the one before')
    .option('--force', 'also past a migration that is declared `contract`');
  withServer(withPlatforms(withConfiguration(command))).action(
    async (to: string | undefined, options: RollbackOptions) => {
      const settings = readSettings(io, options.file);
      const application = chooseApplication(settings, options.app).name;
      const wish = { application, to, platforms: options.on, force: options.force === true };
      const session = await openSession(settings, options, io);
      try {
        await followDeployment(session, io, options, () => session.control.rollback(wish), 'bringing back');
      } finally {
        await session.close();
      }
    },
  );
}
