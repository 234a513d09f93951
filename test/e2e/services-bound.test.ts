import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { request } from 'undici';
import { systemClock } from '../../src/lib/clock.ts';
import { type LiveWorld, openLiveWorld } from '../support/live-world.ts';
import { sampleTarget } from '../support/sample-app.ts';

const opened: LiveWorld[] = [];
const context = { signal: new AbortController().signal, now: () => Date.now(), log: () => undefined };
let world: LiveWorld;

async function makeSecret(data: Readonly<Record<string, string>>): Promise<void> {
  const { statusCode, body } = await request(`${world.ocp.apiUrl}/api/v1/namespaces/shop/secrets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.ocp.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-db' },
      stringData: data,
    }),
  });
  expect([statusCode, await body.text()]).toEqual([201, expect.any(String)]);
}

beforeAll(async () => {
  world = await openLiveWorld([
    'services:',
    '  db: { kind: postgres, shared: true, on: { cf: { offering: database, plan: small }, ocp: { existing: shop-db } } }',
  ]);
  opened.push(world);
}, 60_000);
afterAll(async () => {
  for (const one of opened) await one.close();
});

it('a Secret that is not there stops its platform before anything is replaced; with it both have the same names', async () => {
  const first = await world.sluice(['deploy']);
  expect([first.status, first.text]).toEqual([3, expect.stringContaining('there is no Secret shop-db')]);
  await makeSecret({ uri: 'postgres://planted-canary@db:5432/shop', username: 'shop' });
  const second = await world.sluice(['deploy']);
  expect([second.status, second.text]).toEqual([0, expect.any(String)]);

  const cf = (await world.stranger('cf').observe(context, 'shop')).env;
  const ocp = (await world.stranger('ocp').observe(context, 'shop')).env;
  expect(ocp['DB_URI']).toBe('postgres://planted-canary@db:5432/shop');
  expect(cf['DB_URI']).toMatch(/^postgres/);
  const password = Object.entries(cf).find(([name]) => name === 'DB_PASSWORD')?.[1];
  expect(password).toBeDefined();

  // Made once, and nothing to change afterwards.
  const plan = await world.sluice(['plan', '--exit-code']);
  expect([plan.status, plan.text]).toEqual([0, expect.any(String)]);
  // Said to be one and the same, and it is not: named, and no reason to fail.
  expect(plan.text).toContain('! services: DB_URI is another than on cf');
  expect(plan.text).toContain('! services: DB_PASSWORD is missing, which cf has');
  const events = await world.sluice(['events', '--last', '500', '--json']);
  const all = first.text + second.text + plan.text + events.text + JSON.stringify(await world.status());
  expect(all).not.toContain('planted-canary');
  expect(all).not.toContain(password);
}, 120_000);

it('credentials that were rotated on a platform are no new release, and the next deployment brings them', async () => {
  const before = (await world.shop()).release;
  const { statusCode, body } = await request(`${world.ocp.apiUrl}/api/v1/namespaces/shop/secrets/shop-db`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${world.ocp.token}`,
      'content-type': 'application/merge-patch+json',
    },
    body: JSON.stringify({ stringData: { uri: 'postgres://rotated-canary@db:5432/shop' } }),
  });
  expect([statusCode, await body.text()]).toEqual([200, expect.any(String)]);
  const plan = await world.sluice(['plan', '--exit-code']);
  expect([plan.status, plan.text]).toEqual([
    10,
    expect.stringContaining('~ env.DB_URI: <secret> → <secret>'),
  ]);
  const deployed = await world.sluice(['deploy']);
  expect([deployed.status, deployed.text]).toEqual([0, expect.any(String)]);
  expect((await world.stranger('ocp').observe(context, 'shop')).env['DB_URI']).toContain('rotated-canary');
  expect((await world.shop()).release).toEqual(before);
  expect(plan.text + deployed.text).not.toContain('rotated-canary');
}, 60_000);

it('a broker that cannot deliver is quoted, and what serves is not touched', async () => {
  const provider = world.stranger('cf');
  const source = {
    how: 'provision',
    offering: 'database',
    plan: 'out-of-stock',
    parameters: undefined,
  } as const;
  const want = {
    ...sampleTarget({ application: 'shop', platform: 'cf', number: 9 }),
    services: [{ name: 'more', source }],
  };
  let { handle } = await provider.services!.ensure(context, want);
  let status = await provider.poll(context, handle);
  for (let i = 0; i < 200 && status.state === 'running'; i++) {
    handle = status.handle ?? handle;
    await systemClock.sleep(50);
    status = await provider.poll(context, handle);
  }
  expect(status).toMatchObject({
    state: 'failed',
    error: { message: 'more could not be made ready', why: expect.stringContaining('out of stock') },
  });
  expect(await provider.observe(context, 'shop')).toMatchObject({ desired: 1, exists: true });
}, 60_000);

it('destroy names what it leaves of services, and removes it when it is told to', async () => {
  const kept = await world.sluice(['destroy', '--yes']);
  expect([kept.status, kept.text]).toEqual([
    0,
    expect.stringMatching(/cf: shop is gone; .*service instance shop-db.* stays/),
  ]);
  expect(kept.text).toContain('ocp: nothing of shop is left');
  const removed = await world.sluice(['destroy', '--yes', '--services', '--on', 'cf']);
  expect([removed.status, removed.text]).toEqual([0, 'cf: nothing of shop is left\n']);
  expect(await world.stranger('cf').services!.made(context, 'shop')).toEqual([]);
}, 60_000);
