// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { z } from 'zod';
import { type Loaded, loadSettings } from '../../src/config/load.ts';
import type { ProviderShape } from '../../src/config/options.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { formatDiagnostic } from '../../src/core/diagnostics.ts';

/** Stand-ins with the variety of the real ones: URLs, nested credentials, numbers, a discriminated union. */
export const PROVIDERS: Readonly<Record<string, ProviderShape>> = {
  cloudfoundry: {
    schema: z.strictObject({
      api: z.url({ protocol: /^https?$/, error: 'must begin with http:// or https://' }),
      org: z.string().min(1),
      space: z.string().min(1),
      domain: z.string().min(1).optional(),
      ca: z.string().optional(),
      retries: z.number().int().optional(),
      skipCheck: z.boolean().optional(),
      credentials: z.strictObject({ username: z.string(), password: z.string().min(1) }),
    }),
  },
  openshift: {
    schema: z.strictObject({
      api: z.url(),
      namespace: z.string().regex(/^[a-z0-9-]+$/, 'must be a project — lower case letters, digits and -'),
      credentials: z.strictObject({ token: z.string().min(1) }),
    }),
  },
  selfhosted: {
    images: false,
    schema: z.discriminatedUnion('driver', [
      z.strictObject({ driver: z.literal('process'), socket: z.string().optional() }),
    ]),
  },
  static: { schema: z.strictObject({ origins: z.array(z.string()).min(1) }), deploys: false },
};

export const FOLDER = '/etc/sluice';

export interface LoadTextOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Absolute path → content; beside the configuration itself. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Loads text as if it were /etc/sluice/sluice.yaml. */
export function loadText(text: string, { env = {}, files = {} }: LoadTextOptions = {}): Loaded {
  const disk: Readonly<Record<string, string>> = { [`${FOLDER}/sluice.yaml`]: text, ...files };
  return loadSettings({
    file: `${FOLDER}/sluice.yaml`,
    shownAs: 'sluice.yaml',
    read(path) {
      const content = disk[path];
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return content;
    },
    env,
    providers: PROVIDERS,
    presets: packagePresets(),
  });
}

/** The faults as lines: `3:5 error applications.shop: … — …`. */
export function faultsOf(text: string, options: LoadTextOptions = {}): readonly string[] {
  return loadText(text, options).diagnostics.map((one) =>
    formatDiagnostic(one).replace(/^sluice\.yaml:/, ''),
  );
}

/** A file that is sound, with `more` added to the application and `root` at the end. */
export function soundFile({ application = '', root = '' } = {}): string {
  return `version: 1
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
applications:
  shop:
    targets: { here: {} }
${application === '' ? '' : `${application.replace(/^/gm, '    ')}\n`}${root}`;
}
