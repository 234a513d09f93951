import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PROVIDERS } from '../../providers/registry.ts';
import { originsSettings, parseOrigin } from '../config/inline.ts';
import { loadSettings } from '../config/load.ts';
import { packagePresets } from '../config/presets.ts';
import type { Diagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { ConfigurationFiles } from '../core/messages.ts';
import type { Settings } from '../core/settings.ts';

/** What `sluice serve` was started with; the same in supervisor and controller. */
export interface ServeOptions {
  readonly file: string;
  readonly origin?: string[];
  readonly port?: string;
  readonly adminPort?: string;
  readonly policy?: string;
  readonly state?: string;
  readonly json?: boolean;
}

export interface ReadConfiguration {
  /** Undefined when there is an error among the diagnostics. */
  readonly settings: Settings | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Everything that was looked at, by absolute path, `sluice.yaml` included; undefined: it could not be read. When one
   * of these is another, so may be the configuration.
   */
  readonly files: ReadonlyMap<string, string | undefined>;
}

interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** In place of the disk: what was read when the configuration was last good. */
  readonly files?: ConfigurationFiles;
}

/** Throws USAGE when the command line itself is wrong. */
export function readConfiguration(
  options: ServeOptions,
  { cwd, env, files }: Surroundings,
): ReadConfiguration {
  if (options.origin) {
    const settings = originsSettings(options.origin.map(parseOrigin), {
      cwd,
      ...(options.policy ? { policy: options.policy } : {}),
    });
    return { settings: withOptions(settings, options), diagnostics: [], files: new Map() };
  }
  const looked = new Map<string, string | undefined>();
  const { settings, diagnostics } = loadSettings({
    file: resolve(cwd, options.file),
    shownAs: options.file,
    read(path) {
      looked.set(path, undefined);
      const text = files === undefined ? readFileSync(path, 'utf8') : keptText(files, path);
      looked.set(path, text);
      return text;
    },
    env,
    providers: PROVIDERS,
    presets: packagePresets(),
  });
  return { settings: settings && withOptions(settings, options), diagnostics, files: looked };
}

function keptText(files: ConfigurationFiles, path: string): string {
  const text = Object.hasOwn(files, path) ? files[path] : undefined;
  if (text === undefined) throw Object.assign(new Error('it was not there'), { code: 'ENOENT' });
  return text;
}

function withOptions(settings: Settings, options: ServeOptions): Settings {
  const { gateway } = settings;
  return {
    ...settings,
    state: options.state === undefined ? settings.state : { ...settings.state, dir: options.state },
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
