import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import { parseDuration } from '../core/units.ts';

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

/** `--for 10m`, in milliseconds. */
export function durationOf(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const parsed = parseDuration(given);
  if (parsed.ok) return parsed.value;
  throw new SluiceError('USAGE', `${option} "${given}" is ${parsed.fault}`, { remedy: parsed.remedy });
}

/** `--last 50`. */
export function countOf(option: string, given: string): number {
  const count = Number(given);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new SluiceError('USAGE', `${option} "${given}" is no count`, { remedy: 'use a whole number' });
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
