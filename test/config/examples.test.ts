import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROVIDERS } from '../../providers/registry.ts';
import { loadSettings } from '../../src/config/load.ts';
import { packagePresets } from '../../src/config/presets.ts';

const ENV = {
  CF_USER: 'ada',
  CF_PASSWORD: 'correct-horse',
  DB_URL: 'postgres://db/shop',
  SLUICE_CI_TOKEN: '0123456789abcdef0123456789abcdef',
};

describe('the examples', () => {
  it.each([
    ['config/examples/three-platforms.yaml', ['cf-eu', 'ocp-us', 'rack']],
    ['config/examples/static.yaml', ['blue', 'green', 'standby']],
  ])('%s is valid without a warning', (file, platforms) => {
    const loaded = loadSettings({
      file: resolve(file),
      shownAs: file,
      read: (path) => (path === '/run/secrets/ocp' ? 'sha256~token' : readFileSync(path, 'utf8')),
      env: ENV,
      providers: PROVIDERS,
      presets: packagePresets(),
    });
    expect(loaded.diagnostics).toEqual([]);
    expect(Object.keys(loaded.settings?.platforms ?? {})).toEqual(platforms);
  });
});
