import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadSettings } from '../config/load.ts';
import type { ProviderShape } from '../config/options.ts';
import { packagePresets } from '../config/presets.ts';
import { printSettings, redactedSettings } from '../config/print.ts';
import { type Diagnostic, formatDiagnostic } from '../core/diagnostics.ts';
import { ERROR_CODES } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import type { CliIo } from './io.ts';

export interface ValidateOptions {
  readonly file: string;
  readonly json?: boolean;
  readonly resolved?: boolean;
}

/** The command itself; exit 64 when there is a fault. */
export function validateFile(
  options: ValidateOptions,
  io: CliIo,
  providers: Readonly<Record<string, ProviderShape>>,
): void {
  const loaded = loadSettings({
    file: resolve(io.cwd, options.file),
    shownAs: options.file,
    read: (path) => readFileSync(path, 'utf8'),
    env: io.env,
    providers,
    presets: packagePresets(),
  });
  const print = options.json ? printJson : printText;
  print(options, loaded.diagnostics, loaded.settings, io);
  if (loaded.settings === undefined) io.exit(ERROR_CODES.CONFIG_INVALID.exit);
}

type Print = (
  options: ValidateOptions,
  diagnostics: readonly Diagnostic[],
  settings: Settings | undefined,
  io: CliIo,
) => void;

const printJson: Print = (options, diagnostics, settings, io) => {
  for (const diagnostic of diagnostics)
    io.stdout(`${JSON.stringify({ type: 'diagnostic', ...diagnostic })}\n`);
  if (settings !== undefined && options.resolved) {
    io.stdout(`${JSON.stringify({ type: 'settings', settings: redactedSettings(settings) })}\n`);
  }
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  const summary = { type: 'summary', file: options.file, valid: settings !== undefined, errors };
  io.stdout(`${JSON.stringify({ ...summary, warnings: diagnostics.length - errors })}\n`);
};

const printText: Print = (options, diagnostics, settings, io) => {
  for (const diagnostic of diagnostics) io.stderr(`${formatDiagnostic(diagnostic)}\n`);
  if (settings === undefined) {
    const errors = diagnostics.filter((one) => one.severity === 'error').length;
    io.stderr(`${options.file} has ${count(errors, 'fault')}\n`);
    return;
  }
  if (options.resolved) io.stdout(printSettings(settings));
  const platforms = count(Object.keys(settings.platforms).length, 'platform');
  const applications = count(Object.keys(settings.applications).length, 'application');
  // Behind a printed configuration the sentence would spoil the YAML.
  const say = options.resolved ? io.stderr : io.stdout;
  say(`${options.file} is valid: ${platforms}, ${applications}\n`);
};

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
