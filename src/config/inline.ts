import { resolve } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import {
  DEFAULT_GATEWAY,
  DEFAULT_HEALTH,
  DEFAULT_POLICY,
  DEFAULT_PROCESS,
  DEFAULT_START_TIMEOUT_MS,
  type PolicySettings,
  type Settings,
} from '../core/settings.ts';
import { remedyFor } from './did-you-mean.ts';
import { presetPolicy } from './preset-policy.ts';
import { packagePresets } from './presets.ts';

interface InlineOrigin {
  /** Becomes the name of the platform. */
  readonly name: string;
  readonly url: string;
}

const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/**
 * Settings for `sluice serve --origin a=URL --origin b=URL` without any file: one application for every host, each
 * origin a static platform of tier 1 with equal weight. Several URLs under one name are origins of one platform.
 */
export function originsSettings(
  origins: readonly InlineOrigin[],
  given: { readonly policy?: string; readonly cwd?: string } = {},
): Settings {
  const byName = new Map<string, string[]>();
  for (const { name, url } of origins) {
    byName.set(checkName(name), [...(byName.get(name) ?? []), checkUrl(name, url)]);
  }
  if (byName.size === 0) throw usage('no origin is given', 'for example --origin a=http://10.1.0.5:8080');
  const names = [...byName.keys()];
  return {
    file: undefined,
    platforms: Object.fromEntries(
      [...byName].map(([name, urls]) => [name, { name, provider: 'static', options: { origins: urls } }]),
    ),
    applications: {
      default: {
        name: 'default',
        source: undefined,
        process: DEFAULT_PROCESS,
        env: {},
        secretEnv: [],
        // Strangers' applications may answer 404 at / and be quite well.
        health: { ...DEFAULT_HEALTH, path: '/', status: { from: 100, to: 499 } },
        data: { writes: 'anywhere' },
        routes: [{ host: '*', path: '/', publicHost: 'rewrite', retry: 'safe' }],
        targets: names.map((platform) => ({
          platform,
          tier: 1,
          weight: 1,
          instances: 1,
          env: {},
          capacityRpsPerInstance: undefined,
          capacityRps: undefined,
        })),
        policy: policyNamed(given.policy),
        startTimeoutMs: DEFAULT_START_TIMEOUT_MS,
      },
    },
    gateway: DEFAULT_GATEWAY,
    state: { dir: resolve(given.cwd ?? '.', '.sluice') },
    secrets: [],
  };
}

/** `a=http://10.1.0.5:8080`, as the flag takes it. */
export function parseOrigin(text: string): InlineOrigin {
  const at = text.indexOf('=');
  if (at <= 0) throw usage(`--origin ${text} has no name`, 'write NAME=URL: --origin a=http://10.1.0.5:8080');
  return { name: text.slice(0, at), url: text.slice(at + 1) };
}

function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw usage(`${name} cannot name an origin`, 'lower-case letters, digits and dashes, a letter first');
}

function checkUrl(name: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const plain = url?.pathname === '/' && url.search === '' && url.hash === '';
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usage(`the origin ${name} has no valid URL`, 'write http://HOST:PORT or https://HOST:PORT');
  }
  if (!plain || url.username !== '' || url.password !== '') {
    throw usage(`the URL of origin ${name} has more than scheme, host and port`, 'write http://HOST:PORT');
  }
  return url.origin;
}

function policyNamed(name: string | undefined): PolicySettings {
  if (name === undefined) return DEFAULT_POLICY;
  const presets = packagePresets();
  const policy = presetPolicy(name, presets);
  if (policy === undefined) throw usage(`no preset is called ${name}`, remedyFor(name, Object.keys(presets)));
  return policy;
}

function usage(what: string, remedy: string): SluiceError {
  return new SluiceError('USAGE', what, { remedy });
}
