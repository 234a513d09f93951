import { PROVIDERS } from '../../providers/registry.ts';
import { loadSettingsFile } from '../config/load.ts';
import { formatDiagnostic } from '../core/diagnostics.ts';
import type { Settings } from '../core/settings.ts';
import type { CliIo } from './io.ts';

/** Reads the configuration for a command, whose output will not repeat its secrets; warnings go to stderr. Throws CONFIG_INVALID with all faults as its reason. */
export function readSettings(io: CliIo, file: string): Settings {
  const { settings, diagnostics } = loadSettingsFile(file, {
    cwd: io.cwd,
    env: io.env,
    providers: PROVIDERS,
  });
  io.hide?.(settings.secrets);
  for (const warning of diagnostics) io.stderr(`${formatDiagnostic(warning)}\n`);
  return settings;
}
