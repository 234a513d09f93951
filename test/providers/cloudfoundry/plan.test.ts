import { describe, expect, it } from '@jest/globals';
import { planChanges } from '../../../providers/cloudfoundry/plan.ts';
import type { Process } from '../../../providers/cloudfoundry/wire.ts';
import type { Observation } from '../../../src/core/provider.ts';
import { sampleTarget } from '../../support/sample-app.ts';

const want = sampleTarget({ application: 'shop', platform: 'cf', number: 2, env: { KEY: 'canary' } });
const routes = [{ url: 'shop.apps.example.com', domainGuid: 'd', host: 'shop' }];

const process: Process = {
  guid: 'p',
  type: 'web',
  command: 'node server.js',
  instances: 2,
  memory_in_mb: 64,
  health_check: { type: 'http', data: { endpoint: '/healthz', timeout: 10 } },
};

const same: Observation = {
  at: 0,
  apiLatencyMs: 1,
  exists: true,
  releases: [{ id: want.release.id, state: 'running' }],
  serving: want.release.id,
  instances: [],
  desired: 2,
  origins: [],
  env: want.env,
  foreign: [],
};

function fields(seen: Observation, details: { process: Process | undefined; routes: readonly string[] }) {
  return planChanges({ want, routes }, seen, details).map((change) => `${change.action} ${change.field}`);
}

describe('plan', () => {
  it('is empty when all is as wanted', () => {
    expect(fields(same, { process, routes: ['shop.apps.example.com'] })).toEqual([]);
  });

  it('lists everything to be made where nothing is', () => {
    const seen = { ...same, exists: false, releases: [], serving: undefined, desired: 0, env: {} };
    expect(fields(seen, { process: undefined, routes: [] })).toEqual([
      'create application shop',
      'create release',
      'create instances',
      'create memory',
      'create command',
      'create env.GREETING',
      'create env.KEY',
      'create env.SLUICE_APPLICATION',
      'create env.SLUICE_PLATFORM',
      'create env.SLUICE_RELEASE',
      'create route shop.apps.example.com',
    ]);
  });

  it('lists each difference and no value of the environment', () => {
    const seen = { ...same, serving: 'r-old', desired: 5, env: { KEY: 'old canary', GONE: 'old canary' } };
    const other = { ...process, memory_in_mb: 32, command: 'node old.js' };
    const changes = planChanges({ want, routes }, seen, { process: other, routes: [] });
    expect(changes.map((change) => change.field)).toEqual([
      'release',
      'instances',
      'command',
      'memory',
      'env.GREETING',
      'env.KEY',
      'env.SLUICE_APPLICATION',
      'env.SLUICE_PLATFORM',
      'env.GONE',
      'route shop.apps.example.com',
    ]);
    expect(JSON.stringify(changes)).not.toContain('canary');
    expect(changes.filter((change) => change.destructive).map((change) => change.field)).toEqual([
      'instances',
    ]);
  });

  it('says only what is foreign when the name is taken', () => {
    const seen = { ...same, exists: false, foreign: ['application shop (guid)'] };
    expect(fields(seen, { process: undefined, routes: [] })).toEqual(['foreign application shop (guid)']);
  });
});
