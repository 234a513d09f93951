import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROVIDERS } from '../../providers/registry.ts';
import { loadSettings } from '../../src/config/load.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';

const ENV = {
  CF_USER: 'ada',
  CF_PASSWORD: 'correct-horse',
  DB_URL: 'postgres://db/shop',
  SLUICE_CI_TOKEN: '0123456789abcdef0123456789abcdef',
};

const { certificate, key } = selfSignedCertificate(['shop.example.com']);
/** What the examples name outside of this repository. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '/run/secrets/ocp': 'sha256~token',
  ...Object.fromEntries(
    ['shop', 'api', 'client'].flatMap((name) => [
      [`/etc/sluice/tls/${name}.pem`, certificate],
      [`/etc/sluice/tls/${name}.key`, key],
    ]),
  ),
};

describe('the examples', () => {
  it.each([
    ['config/examples/three-platforms.yaml', ['cf-eu', 'ocp-us', 'rack']],
    ['config/examples/static.yaml', ['blue', 'green', 'standby']],
    ['config/examples/edge.yaml', ['blue', 'green']],
  ])('%s is valid without a warning', (file, platforms) => {
    const loaded = loadSettings({
      file: resolve(file),
      shownAs: file,
      read: (path) => ELSEWHERE[path] ?? readFileSync(path, 'utf8'),
      env: ENV,
      providers: PROVIDERS,
      presets: packagePresets(),
    });
    expect(loaded.diagnostics).toEqual([]);
    expect(Object.keys(loaded.settings?.platforms ?? {})).toEqual(platforms);
  });
});
