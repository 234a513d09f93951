import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';

export function topCommand(program: Command, _io: CliIo): void {
  const command = program.command('top').description('the platforms, live');
  withServer(withConfiguration(command)).action(async (_options: CommonOptions) => {
    throw new SluiceError('NOT_BUILT', '`sluice top` is not built yet');
  });
}
