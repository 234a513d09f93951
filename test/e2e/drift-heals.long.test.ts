import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { DriftStatus } from '../../src/core/drift.ts';
import { type LivePlatform, type LiveWorld, openLiveWorld } from '../support/live-world.ts';
import { until } from '../support/processes.ts';

let world: LiveWorld;
const opened: LiveWorld[] = [];
const context = { signal: new AbortController().signal, now: () => 0, log: () => undefined };

beforeAll(async () => {
  world = await openLiveWorld(['drift: { mode: heal, every: 1s }']);
  opened.push(world);
  const deployed = await world.sluice(['deploy']);
  expect([deployed.status, deployed.text]).toEqual([0, expect.any(String)]);
}, 60_000);
afterAll(async () => {
  for (const one of opened) await one.close();
});

async function drift(platform: LivePlatform): Promise<DriftStatus | undefined> {
  return (await world.shop()).platforms.find(({ name }) => name === platform)?.drift;
}

async function healed(platform: LivePlatform, times: number): Promise<void> {
  await until(
    `${platform} was put back ${times} times`,
    async () => {
      const now = await drift(platform);
      return now?.state === 'none' && now.heals === times;
    },
    30_000,
  );
}

it('both platforms are put back to what was deployed, and no request is lost by it', async () => {
  for (const platform of ['cf', 'ocp'] as const) {
    await until(`${platform} was compared`, async () => (await drift(platform))?.state === 'none', 20_000);
  }
  const cf = world.stranger('cf');
  const before = (await cf.observe(context, 'shop')).serving;
  const asked = world.answers.length;

  await cf.scale(context, 'shop', 3);
  const path = '/apis/apps/v1/namespaces/shop/deployments/shop';
  const patched = await request(`${world.ocp.apiUrl}${path}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${world.ocp.token}`,
      'content-type': 'application/strategic-merge-patch+json',
    },
    body: JSON.stringify({
      spec: {
        template: { spec: { containers: [{ name: 'web', resources: { limits: { memory: '99Mi' } } }] } },
      },
    }),
  });
  expect([patched.statusCode, (await patched.body.text()).slice(0, 300)]).toEqual([200, expect.any(String)]);
  await healed('cf', 1);
  await healed('ocp', 1);

  const seen = await cf.observe(context, 'shop');
  expect([seen.serving, seen.desired]).toEqual([before, 1]);
  const { recent } = await world.status();
  expect(recent).toContainEqual(
    expect.objectContaining({
      ...{ type: 'drift.found', platform: 'cf' },
      fields: [{ field: 'instances', from: '3', to: '1' }],
    }),
  );
  expect(recent).toContainEqual(
    expect.objectContaining({
      ...{ type: 'drift.found', platform: 'ocp' },
      fields: [{ field: 'memory', from: '99Mi', to: '64Mi' }],
    }),
  );
  expect(world.answers.slice(asked).filter(({ status }) => status !== 200)).toEqual([]);
}, 90_000);
