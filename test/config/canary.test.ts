// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { validateFile } from '../../src/cli/validate-file.ts';
import { loadSettingsFile } from '../../src/config/load.ts';
import { printSettings, redactedSettings } from '../../src/config/print.ts';
import { formatDiagnostic } from '../../src/core/diagnostics.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { createRedactor } from '../../src/lib/redact.ts';
import { loadText, PROVIDERS } from './support.ts';

/** Every text of this file is replaced by a reference in turn and all at once. */
const FULL = `version: 1
platforms:
  cf: { provider: cloudfoundry, api: https://api.cf.example.com, org: shop, space: prod, domain: apps.example.com, ca: certs/x.pem, credentials: { username: user, password: pass } }
  ocp: { provider: openshift, api: "https://api.ocp.example.com:6443", namespace: shop, credentials: { token: tok } }
  rack: { provider: selfhosted, driver: process, socket: host.sock }
  legacy: { provider: static, origins: ["http://10.1.0.5:8080"] }
applications:
  shop:
    source: ./shop
    command: node server.js
    memory: 256M
    env: { LOG_LEVEL: info, DB_URL: "postgres://u:p@h/d" }
    health: { path: /healthz, every: 1s, status: 200-299, release: { header: x-release } }
    startTimeout: 5s
    data: { writes: anywhere }
    routes: [{ host: shop.example.com, path: /a, publicHost: map, retry: safe }]
    targets:
      cf: { capacity: 90rps/instance, env: { REGION: eu } }
      ocp: {}
      legacy: {}
    policy: active-active
  other: { source: ./o, routes: [{ host: o.example.com }], targets: { rack: }, health: { release: { json: meta.release } }, policy: { name: mine, base: demo, failback: auto } }
gateway:
  wire: compat
  listen: [{ host: 127.0.0.1, port: 8080 }]
  admin: { host: 127.0.0.1, tokens: { ci: { token: "0123456789", role: read } } }
  limits: { head: 16K }
  timeouts: { connect: 1s }
  trustedProxies: [10.0.0.0/8]
state: { dir: .sluice }
`;

interface Planted {
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
  readonly canaries: readonly string[];
}

/** `only` plants one canary; `keep` keeps the value sound by putting the canary beside it. */
function plant(
  options: { only?: number; wrap?: (source: string, canary: string) => string | undefined } = {},
): Planted {
  const document = parseDocument(FULL);
  const env: Record<string, string> = {};
  const canaries: string[] = [];
  let seen = 0;
  function visit(node: unknown): void {
    if (isMap(node)) for (const pair of node.items) visit(pair.value);
    else if (isSeq(node)) for (const item of node.items) visit(item);
    else if (isScalar(node) && typeof node.value === 'string') {
      const index = seen++;
      if (options.only !== undefined && options.only !== index) return;
      const canary = `canary${index}x7Qz${index * 7919}`;
      const value = options.wrap === undefined ? canary : options.wrap(node.value, canary);
      if (value === undefined) return;
      env[`C${index}`] = value;
      canaries.push(canary);
      node.value = `\${C${index}}`;
    }
  }
  visit(document.contents);
  return { text: document.toString(), env, canaries };
}

function expectNone(output: string, canaries: readonly string[]): void {
  for (const canary of canaries) {
    expect(output.toLowerCase()).not.toContain(canary.toLowerCase());
    expect(output).not.toContain(Buffer.from(canary).toString('base64').slice(0, -2));
  }
}

const COUNT = Number(plant().canaries.length);

describe('secrets in the wrong place', () => {
  it('are in no diagnostic when every text of the file is one', () => {
    const { text, env, canaries } = plant();
    const { diagnostics, settings } = loadText(text, { env });
    expect(settings).toBeUndefined();
    expect(diagnostics.length).toBeGreaterThan(15);
    expectNone(diagnostics.map(formatDiagnostic).join('\n'), canaries);
  });

  it('are in no diagnostic and no printed configuration, one by one', () => {
    for (let only = 0; only < COUNT; only++) {
      const { text, env, canaries } = plant({ only });
      const { diagnostics, settings } = loadText(text, { env, files: { '/etc/sluice/certs/x.pem': PEM } });
      expectNone(diagnostics.map(formatDiagnostic).join('\n'), canaries);
      if (settings !== undefined) expectNone(printSettings(settings), canaries);
    }
  });
});

const PEM = '-----BEGIN CERTIFICATE-----\nMIIBcanaryMIIBcanaryMIIB\n-----END CERTIFICATE-----\n';

/** Sound values with the canary inside, where such a value can hold one at all. */
function sound(source: string, canary: string): string | undefined {
  if (/^https?:/.test(source)) return `https://user:${canary}@${canary.toLowerCase()}.example.com`;
  if (source.startsWith('postgres')) return `postgres://u:${canary}%40@h/d`;
  if (source.endsWith('.example.com')) return `${canary.toLowerCase()}.example.com`;
  if (source === '/healthz' || source === '/a') return `/${canary}`;
  if (
    [
      'user',
      'pass',
      'tok',
      'org',
      'host.sock',
      './shop',
      './o',
      'node server.js',
      'info',
      'eu',
      'x-release',
      'meta.release',
      'mine',
      '0123456789',
      '.sluice',
    ].includes(source)
  ) {
    return `${canary} & more`.slice(0, source === 'x-release' ? canary.length : undefined);
  }
  return undefined;
}

describe('secrets in the right place', () => {
  let folder: string;
  let planted: Planted;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-canary-'));
    planted = plant({ wrap: sound });
    writeFileSync(
      join(folder, 'sluice.yaml'),
      planted.text.replace(/^ *ca: .*$/m, '').replace(', ca: certs/x.pem', ''),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function load() {
    return loadSettingsFile('sluice.yaml', { cwd: folder, env: planted.env, providers: PROVIDERS });
  }

  it('reach the settings and are in nothing that is printed of them', () => {
    const { settings } = load();
    expect(planted.canaries.length).toBeGreaterThan(15);
    for (const canary of planted.canaries) {
      expect(JSON.stringify(settings).toLowerCase()).toContain(canary.toLowerCase());
    }
    expectNone(JSON.stringify(redactedSettings(settings)), planted.canaries);
    expectNone(printSettings(settings), planted.canaries);
    expect(printSettings(settings)).toMatch(/password: <redacted from \$\{C\d+\}>/);
    const redactor = createRedactor(settings.secrets);
    const { references: _references, secrets: _secrets, ...rest } = settings;
    expectNone(JSON.stringify(redactor.value(rest)), planted.canaries);
    expectNone(redactor.text(JSON.stringify(rest)), planted.canaries);
  });

  it.each([{}, { json: true }, { resolved: true }, { json: true, resolved: true }])(
    'are in nothing `validate` prints with %j',
    (flags) => {
      const printed: string[] = [];
      const status: number[] = [];
      const io = {
        stdout: (text: string) => void printed.push(text),
        stderr: (text: string) => void printed.push(text),
        env: planted.env,
        cwd: folder,
        isTty: false,
        columns: 80,
        signal: new AbortController().signal,
        exit: (code: number) => void status.push(code),
      };
      validateFile({ file: 'sluice.yaml', ...flags }, io, PROVIDERS);
      expect(status).toEqual([]);
      expect(printed.join('')).toContain('sluice.yaml');
      expectNone(printed.join(''), planted.canaries);
    },
  );

  it('are in no error when another part of the file is wrong', () => {
    writeFileSync(join(folder, 'broken.yaml'), `${planted.text}nonsense: 1\n`);
    try {
      loadSettingsFile('broken.yaml', { cwd: folder, env: planted.env, providers: PROVIDERS });
      throw new Error('did not throw');
    } catch (caught) {
      const error = SluiceError.from(caught);
      expect(error.code).toBe('CONFIG_INVALID');
      expectNone(JSON.stringify([error.message, error.details]), planted.canaries);
    }
  });
});

describe('what is not worth hiding', () => {
  const text = `version: 1
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
applications:
  shop: { env: { LEVEL: "\${LEVEL}", SHOP: "\${SHOP}", PIN: "\${PIN}" }, targets: { here: } }
`;

  it('is not searched for in other texts, yet shown with its origin', () => {
    const { settings } = loadText(text, { env: { LEVEL: 'info', SHOP: 'shop', PIN: '8472910' } });
    expect(settings?.secrets).toEqual(['8472910']);
    expect(settings && printSettings(settings)).toContain('LEVEL: <redacted from ${LEVEL}>');
  });

  it('a secret in clear is hidden by its key and its value, and warned of', () => {
    const { settings, diagnostics } = loadText(
      `version: 1
platforms:
  cf: { provider: cloudfoundry, api: https://a, org: o, space: s, credentials: { username: cleopatra, password: in-clear-42 } }
applications:
  shop: { source: ., env: { OTHER: in-clear-42-too }, targets: { cf: } }
`,
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([
      'sluice.yaml:3:113 warning platforms.cf.credentials.password: a secret stands in clear in this file — put it into the environment and write "${NAME}"',
    ]);
    expect(settings?.secrets).toEqual(['in-clear-42']);
    expect(settings && printSettings(settings)).not.toContain('in-clear-42');
  });
});
