import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, ObservedOrigin } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type LocalHarness, NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';

/** What only OpenShift has, on the local one: public hosts as routes, uploads that break off, hosts held by others. */
let harness: LocalHarness;
let drive: Driver;
let bundle: Bundle & { remove(): Promise<void> };

beforeAll(async () => {
  harness = await openLocal();
  drive = createDriver({ provider: () => harness.provider() });
  bundle = await sampleBundle('ok');
  // Here, because age decides who holds a host, in whole seconds.
  await harness.create(`/apis/route.openshift.io/v1/namespaces/${NAMESPACE}/routes`, {
    apiVersion: 'route.openshift.io/v1',
    kind: 'Route',
    metadata: { name: 'elder' },
    spec: { host: 'taken.shop.test', to: { kind: 'Service', name: 'elder' } },
  });
});

afterAll(async () => {
  await drive.close();
  await bundle.remove();
  await harness.close();
});

function answerOf(host: string): Promise<number> {
  const origin: ObservedOrigin = { url: harness.local.routerUrl, hostHeader: host };
  return requestOrigin(origin, '/').then((answer) => answer.status);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 8_000;
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error('it did not come about');
    await systemClock.sleep(30);
  }
}

describe('public hosts', () => {
  it('become routes of their own, and go when they are no longer wanted', async () => {
    const want = sampleTarget({
      application: 'hosts',
      platform: PLATFORM,
      number: 1,
      instances: 1,
      hosts: ['www.shop.test'],
    });
    await drive.deploy(want, bundle);
    await until(async () => (await answerOf('www.shop.test')) === 200);
    const without = { ...want, hosts: [] };
    const provider = drive.fresh();
    const changes = await provider.plan(
      drive.context,
      without,
      await provider.observe(drive.context, 'hosts'),
    );
    expect(changes.filter((change) => change.action !== 'none')).toEqual([
      { action: 'change', field: 'route www.shop.test', from: 'www.shop.test', destructive: true },
    ]);
    await drive.deploy(without, bundle);
    await until(async () => (await answerOf('www.shop.test')) === 503);
    const seen = await provider.observe(drive.context, 'hosts');
    expect(await answerOf(seen.origins[0]?.hostHeader ?? '')).toBe(200);
    await drive.succeed(provider.destroy(drive.context, 'hosts'));
  });

  it('that another route holds are refused before any instance starts', async () => {
    const want = sampleTarget({
      application: 'taken',
      platform: PLATFORM,
      number: 1,
      hosts: ['taken.shop.test'],
    });
    const artifact = await drive.stage(want, bundle);
    const error = await drive.fail(drive.fresh().apply(drive.context, want, artifact));
    expect(error).toMatchObject({ class: 'conflict', why: expect.stringContaining('HostAlreadyClaimed') });
    expect((await drive.fresh().observe(drive.context, 'taken')).instances).toEqual([]);
    await drive.succeed(drive.fresh().destroy(drive.context, 'taken'));
  });

  it('leave the application’s own route at the host it was told', async () => {
    const told = createDriver({ provider: () => harness.provider({ routeHost: '{application}.told.test' }) });
    const want = sampleTarget({ application: 'told', platform: PLATFORM, number: 1, instances: 1 });
    await told.deploy(want, bundle);
    const seen = await told.fresh().observe(told.context, 'told');
    expect(seen.origins).toEqual([{ url: harness.local.routerUrl, hostHeader: 'told.told.test' }]);
    await told.succeed(told.fresh().destroy(told.context, 'told'));
    await told.close();
  });
});

describe('an upload that breaks off', () => {
  it('ends with the abort, and the release can be staged again', async () => {
    const want = sampleTarget({ application: 'broken', platform: PLATFORM, number: 1 });
    const abort = new AbortController();
    const staging = drive.fresh().stage({ ...drive.context, signal: abort.signal }, want, bundle);
    const ended = staging.then(
      () => 'staged',
      () => 'given up',
    );
    await systemClock.sleep(70);
    abort.abort(new Error('Ctrl-C'));
    expect(await ended).toBe('given up');
    // Whoever comes at once may still meet the build that is being cancelled.
    await drive.settle(drive.fresh().stage(drive.context, want, bundle));
    await drive.stage(want, bundle);
    await drive.succeed(drive.fresh().destroy(drive.context, 'broken'));
  });
});

describe('a change of configuration under the same release', () => {
  it('rolls out, and what was before is cleaned up with the release', async () => {
    const want = sampleTarget({
      application: 'config',
      platform: PLATFORM,
      number: 1,
      env: { GREETING: 'one' },
    });
    await drive.deploy(want, bundle);
    await drive.deploy({ ...want, env: { ...want.env, GREETING: 'two' } }, bundle);
    const seen = await drive.fresh().observe(drive.context, 'config');
    expect(seen.env['GREETING']).toBe('two');
    const origin = seen.origins[0];
    if (!origin) throw new Error('no origin');
    await until(async () => (await requestOrigin(origin, '/')).body.startsWith('two'));
    const error = await drive.refusal(drive.fresh().retire(drive.context, 'config', want.release.id));
    expect(error).toMatchObject({ class: 'conflict', message: expect.stringContaining('serves') });
    await drive.succeed(drive.fresh().destroy(drive.context, 'config'));
  });
});
