import { describe, expect, it } from '@jest/globals';
import { restartDelay } from '../../../../../providers/cloudfoundry/local/engine/crash-policy.ts';
import { detect } from '../../../../../providers/cloudfoundry/local/engine/detect.ts';

const nothing = { packageJson: undefined, procfile: undefined, hasCommand: false };

describe('buildpack detection', () => {
  it('finds nothing in a folder without package.json, Procfile and command', () => {
    expect(detect(nothing)).toBeUndefined();
    expect(detect({ ...nothing, hasCommand: true })).toEqual({
      buildpack: 'binary_buildpack',
      processTypes: {},
    });
  });

  it('takes the start script of package.json, and a Procfile above it', () => {
    const packageJson = JSON.stringify({ scripts: { start: 'node a.js' } });
    expect(detect({ ...nothing, packageJson })?.processTypes).toEqual({ web: 'node a.js' });
    const procfile = 'web: node b.js --port $PORT\r\n# comment\nworker: node w.js\n';
    expect(detect({ ...nothing, packageJson, procfile })?.processTypes).toEqual({
      web: 'node b.js --port $PORT',
      worker: 'node w.js',
    });
  });

  it('does not fall over a package.json that is none', () => {
    expect(detect({ ...nothing, packageJson: '{' })).toEqual({
      buildpack: 'nodejs_buildpack',
      processTypes: {},
    });
  });
});

describe('the crash policy', () => {
  it('restarts twice at once, then waits longer and longer up to a bound', () => {
    const delays = { first: 100, longest: 500 };
    expect([1, 2, 3, 4, 5, 6, 7].map((crashes) => restartDelay(crashes, delays))).toEqual([
      0, 0, 100, 200, 400, 500, 500,
    ]);
  });
});
