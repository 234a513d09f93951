import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';

/** Options that mean the same in every command that has them. */
export interface CommonOptions {
  readonly file: string;
  readonly app?: string;
  readonly on?: string[];
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly color?: boolean;
  readonly server?: string;
  readonly token?: string;
}

export function withConfiguration(command: Command): Command {
  return command
    .option('-f, --file <path>', 'the configuration', 'sluice.yaml')
    .option('--app <name>', 'the application; needed only when there are several')
    .option('--json', 'NDJSON on standard output, words for people on standard error')
    .option('--no-color', 'no colours');
}

export function withPlatforms(command: Command): Command {
  return command.option('--on <platform...>', 'only these platforms');
}

export function withServer(command: Command): Command {
  return command
    .option('--server <url>', 'the admin API of a running `sluice serve`')
    .option('--token <token>', 'its bearer token; also from SLUICE_TOKEN');
}

/** The one the person means: named, or the only one there is. */
export function chooseApplication(settings: Settings, name: string | undefined): ApplicationSettings {
  const all = Object.values(settings.applications);
  const named = name === undefined ? undefined : settings.applications[name];
  if (named) return named;
  if (name === undefined && all.length === 1) return all[0]!;
  const names = all.map((application) => application.name).join(', ');
  throw new SluiceError(
    'USAGE',
    name === undefined ? 'there are several applications' : `there is no application "${name}"`,
    { remedy: `pass --app with one of: ${names}` },
  );
}
