import { describe, expect, it } from '@jest/globals';
import { schema } from '../../../providers/openshift/config.ts';
import { deployment, routes } from '../../../providers/openshift/manifests.ts';
import { planChanges } from '../../../providers/openshift/plan.ts';
import { ROUTE } from '../../../providers/openshift/resources.ts';
import { deploymentSchema, routeSchema } from '../../../providers/openshift/wire.ts';
import type { Observation } from '../../../src/core/provider.ts';
import { sampleTarget } from '../../support/sample-app.ts';

const options = schema.parse({ api: 'https://api.test:6443', namespace: 'n', credentials: { token: 't' } });
const want = sampleTarget({ application: 'shop', platform: 'ocp', number: 1, hosts: ['shop.example.com'] });
const held = {
  deployment: deploymentSchema.parse(deployment(want, 'image@sha256:a', undefined)),
  routes: routes(want, { options, routing: ROUTE }).map((route) => routeSchema.parse(route)),
};
const nothing: Observation = {
  at: 0,
  apiLatencyMs: 1,
  exists: false,
  releases: [],
  serving: undefined,
  instances: [],
  desired: 0,
  origins: [],
  env: {},
  foreign: [],
};
const seen: Observation = { ...nothing, exists: true, desired: 2, env: want.env };

function changed(...args: Parameters<typeof planChanges>) {
  return planChanges(...args).filter((change) => change.action !== 'none');
}

describe('the plan', () => {
  it('is empty right after applying', () => {
    expect(changed(want, seen, held)).toEqual([]);
  });

  it('creates what is not there, without showing a value', () => {
    const changes = changed({ ...want, env: { KEY: 'planted-canary' } }, nothing, {
      deployment: undefined,
      routes: [],
    });
    expect(changes.map((change) => [change.action, change.field])).toEqual([
      ['create', 'application shop'],
      ['create', 'env.KEY'],
      ['create', 'route'],
      ['create', 'route shop.example.com'],
    ]);
    expect(JSON.stringify(changes)).not.toContain('planted-canary');
  });

  it('names each difference, and marks what replaces instances', () => {
    const other = {
      ...want,
      process: { command: 'node other.js', instances: 4, memoryBytes: 128 * 1_048_576 },
      env: { ...want.env, GREETING: 'planted-canary' },
      health: { path: undefined, startTimeoutMs: 30_000 },
      hosts: ['other.example.com'],
    };
    const changes = changed(other, seen, held);
    expect(changes.map((change) => [change.field, change.from, change.to, change.destructive])).toEqual([
      ['instances', '2', '4', false],
      ['memory', '64Mi', '128Mi', true],
      ['command', 'node server.js', 'node other.js', true],
      ['health', '/healthz', 'port', true],
      ['start timeout', '10 s', '30 s', false],
      ['env.GREETING', '<secret>', '<secret>', true],
      ['route other.example.com', undefined, 'other.example.com', false],
      ['route shop.example.com', 'shop.example.com', undefined, true],
    ]);
  });

  it('names what is foreign and plans nothing else', () => {
    const changes = planChanges(
      want,
      { ...nothing, foreign: ['Service shop'] },
      { deployment: undefined, routes: [] },
    );
    expect(changes).toEqual([{ action: 'foreign', field: 'Service shop', destructive: false }]);
  });
});
