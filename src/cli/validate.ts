import type { Command } from 'commander';
import { PROVIDERS } from '../../providers/registry.ts';
import type { CliIo } from './io.ts';
import { type ValidateOptions, validateFile } from './validate-file.ts';

/** `sluice validate`: everything that is wrong with the file, all at once; touches no platform. */
export function validateCommand(program: Command, io: CliIo): void {
  program
    .command('validate')
    .description('check the configuration file and say everything that is wrong with it')
    .option('-f, --file <file>', 'configuration file', 'sluice.yaml')
    .option('--json', 'one JSON object a line: each diagnostic, then a summary')
    .option('--resolved', 'print the resolved configuration, secrets redacted')
    .action((options: ValidateOptions) => validateFile(options, io, PROVIDERS));
}
