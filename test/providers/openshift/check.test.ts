import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addedInstances } from '../../../providers/openshift/check.ts';
import { parseQuantity } from '../../../providers/openshift/quantity.ts';
import type { Observation } from '../../../src/core/provider.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { type FakeApi, type FakeCall, fakeApi, refuse } from './fake-api.ts';
import { openLocal } from './local-harness.ts';

const want = sampleTarget({ application: 'shop', platform: 'ocp', number: 2, hosts: ['shop.example.com'] });

function seen(more: Partial<Observation> = {}): Observation {
  return {
    ...{ at: 0, apiLatencyMs: 0, exists: false, releases: [], serving: undefined, instances: [] },
    ...{ desired: 0, origins: [], env: {}, foreign: [] },
    ...more,
  };
}

describe('a quantity', () => {
  it.each([
    ['512Mi', 536_870_912],
    ['1.5Gi', 1_610_612_736],
    ['100m', 0.1],
    ['3', 3],
    ['1e3', 1_000],
    ['2k', 2_000],
    ['much', undefined],
    ['', undefined],
  ])('%s is %s', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });
});

describe('instances beside those that are there', () => {
  it.each([
    ['all, where none are', seen(), 2],
    ['one, while it rolls', seen({ desired: 2, serving: 'r-1' }), 1],
    ['one and what grows', seen({ desired: 1, serving: 'r-1' }), 2],
    ['none, where nothing changes', seen({ desired: 2, serving: want.release.id }), 0],
  ])('are %s', (_what, observation, expected) => {
    expect(addedInstances(want, observation)).toBe(expected);
  });
});

describe('what is found before a deployment', () => {
  let api: FakeApi;
  let denied: string[];
  let quotas: object[];

  beforeEach(async () => {
    api = await fakeApi();
    denied = [];
    quotas = [];
    api.script((call) => {
      if (call.path.endsWith('/selfsubjectaccessreviews')) return review(call);
      if (call.path.endsWith('/resourcequotas'))
        return { status: 200, json: { metadata: {}, items: quotas } };
      return undefined;
    });
  });
  afterEach(() => api.close());

  function review(call: FakeCall) {
    const { verb, resource, subresource } = JSON.parse(call.body.toString()).spec.resourceAttributes;
    const name = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
    return { status: 201, json: { status: { allowed: !denied.includes(name) } } };
  }

  function quota(hard: Record<string, string>, used: Record<string, string>): object {
    return { metadata: { name: 'team' }, status: { hard, used } };
  }

  async function refusals() {
    const checks = (await api.provider().check?.(api.context, want, seen())) ?? [];
    return checks.flatMap(({ what, error }) => (error ? [{ what, ...error }] : []));
  }

  it('are rights, quotas and a dry run, and nothing is written', async () => {
    quotas = [quota({ 'limits.memory': '1Gi', pods: '10' }, { 'limits.memory': '512Mi', pods: '3' })];
    const checks = (await api.provider().check?.(api.context, want, seen())) ?? [];
    expect(checks.map(({ what, found }) => `${what}: ${found}`)).toEqual(
      expect.arrayContaining([
        'right to patch deployments.apps: allowed',
        'right to create routes.route.openshift.io/custom-host: allowed',
        'limits.memory of quota team: needs 128Mi more; 512Mi of 1Gi are used',
        'pods of quota team: needs 2 more; 3 of 10 are used',
        'dry run of Deployment shop: accepted',
      ]),
    );
    const writes = api.calls.filter(
      ({ method, query }) => method === 'PATCH' && query.get('dryRun') !== 'All',
    );
    expect(writes).toEqual([]);
  });

  it('name a right that is missing, and how to get it', async () => {
    denied = ['create routes/custom-host'];
    expect(await refusals()).toMatchObject([
      { code: 'PLATFORM_FORBIDDEN', remedy: expect.stringContaining('routes/custom-host') },
    ]);
  });

  it('name a quota that is too small', async () => {
    quotas = [quota({ 'limits.memory': '1Gi' }, { 'limits.memory': '960Mi' })];
    expect(await refusals()).toMatchObject([
      {
        code: 'PLATFORM_QUOTA',
        why: 'limits.memory: needs 128Mi more; 960Mi of 1Gi are used (ResourceQuota team)',
      },
    ]);
  });

  it('give the words with which the API refuses a dry run', async () => {
    api.script((call) => {
      if (call.path.endsWith('/selfsubjectaccessreviews')) return review(call);
      if (call.method === 'PATCH' && call.path.endsWith('/deployments/shop'))
        return refuse(422, 'Deployment.apps "shop" is invalid: spec.replicas: too many');
      return undefined;
    });
    expect(await refusals()).toMatchObject([
      {
        what: 'dry run of Deployment shop',
        code: 'PLATFORM_INVALID',
        why: expect.stringContaining('too many'),
      },
    ]);
  });

  it('holds against the local platform', async () => {
    const harness = await openLocal();
    const provider = harness.provider();
    const checks = (await provider.check?.(api.context, want, seen())) ?? [];
    expect(checks.length).toBeGreaterThan(10);
    expect(checks.filter((check) => check.error !== undefined)).toEqual([]);
    // A dry run leaves nothing behind.
    expect((await provider.observe(api.context, 'shop')).exists).toBe(false);
    await provider.close();
    await harness.close();
  });
});
