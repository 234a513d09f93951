import { describe, expect, it } from '@jest/globals';
import { restartDelay } from '../../../../../providers/cloudfoundry/local/engine/crash-policy.ts';
import { detect } from '../../../../../providers/cloudfoundry/local/engine/detect.ts';

const nothing = { packageJson: undefined, procfile: undefined, buildpacks: [] };

describe('buildpack detection', () => {
  it('finds nothing without a package.json, and takes anything for a buildpack that is named', () => {
    expect(detect(nothing)).toBeUndefined();
    expect(detect({ ...nothing, procfile: 'web: ./run' })).toBeUndefined();
    expect(detect({ ...nothing, buildpacks: ['binary_buildpack'] })).toEqual({
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
