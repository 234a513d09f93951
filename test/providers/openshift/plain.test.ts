import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, Observation } from '../../../src/core/provider.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';
import { openPlain, type PlainHarness } from './plain-harness.ts';

/** A cluster without Routes and builds; all that a provider must do is tried on it by `plain.long.test.ts`. */
let harness: PlainHarness;
let drive: Driver;
let bundle: Bundle & { remove(): Promise<void> };

beforeAll(async () => {
  harness = await openPlain();
  drive = createDriver({ provider: () => harness.provider() });
  bundle = await sampleBundle('ok');
});

afterAll(async () => {
  await drive.close();
  await bundle.remove();
  await harness.close();
});

const want = sampleTarget({
  application: 'plain',
  platform: PLATFORM,
  number: 1,
  instances: 1,
  hosts: ['www.plain.test'],
});

async function answerOf(host: string): Promise<number> {
  const answer = await requestOrigin({ url: harness.local.routerUrl, hostHeader: host }, '/');
  return answer.status;
}

describe('on a plain Kubernetes', () => {
  it('hosts are led by Ingresses, and they go with the application', async () => {
    await drive.deploy(want, bundle);
    const seen: Observation = await drive.fresh().observe(drive.context, 'plain');
    expect(seen.origins).toEqual([{ url: harness.local.routerUrl, hostHeader: 'plain.apps.test' }]);
    const end = Date.now() + 5_000;
    while ((await answerOf('www.plain.test')) !== 200 && Date.now() < end)
      await new Promise((done) => setTimeout(done, 20));
    expect([await answerOf('plain.apps.test'), await answerOf('www.plain.test')]).toEqual([200, 200]);
    const path = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses`;
    expect((await harness.read(path)).items).toHaveLength(2);
    await drive.succeed(drive.fresh().destroy(drive.context, 'plain'));
    expect((await harness.read(path)).items).toEqual([]);
  });

  it('what is to be built is refused beforehand, with what to write instead', async () => {
    const provider = harness.provider();
    const seen = await provider.observe(drive.context, 'never');
    const source = { ...want, application: 'never', release: { ...want.release, id: 'r-ffffffffff' } };
    const [found, ...others] = (await provider.check?.(drive.context, source, seen)) ?? [];
    expect(others).toEqual([]);
    expect(found?.error).toMatchObject({
      class: 'unsupported',
      message: 'nothing is built on this cluster, and never is no image',
      remedy: expect.stringContaining('applications.never.image'),
    });
    await provider.close();
  });

  it('a host must be given, for nobody else chooses one', async () => {
    const local = await openLocal({ mode: 'kubernetes' });
    const provider = local.provider();
    const image = { reference: `registry.test/x@sha256:${'a'.repeat(64)}` };
    const refused = provider.apply(drive.context, { ...want, image }, { native: { image: image.reference } });
    await expect(refused).rejects.toMatchObject({
      class: 'invalid',
      details: { remedy: expect.stringContaining('routeHost') },
    });
    await provider.close();
    await local.close();
  });
});

describe('on a MicroShift', () => {
  it('images run behind Routes, and what is deployed again changes nothing', async () => {
    const micro = await openPlain('microshift');
    const hands = createDriver({ provider: () => micro.provider() });
    await hands.deploy(want, bundle);
    const provider = hands.fresh();
    expect((await provider.describe(hands.context)).apiVersion).toContain('no builds');
    const seen = await provider.observe(hands.context, 'plain');
    expect(seen.serving).toBe(want.release.id);
    expect(seen.origins).toEqual([{ url: micro.local.routerUrl, hostHeader: 'plain.apps.test' }]);
    const changes = await provider.plan(hands.context, want, seen);
    expect(changes.filter(({ action }) => action !== 'none')).toEqual([]);
    const checks = (await provider.check?.(hands.context, want, seen)) ?? [];
    expect(checks.filter(({ error }) => error !== undefined)).toEqual([]);
    await hands.succeed(provider.destroy(hands.context, 'plain'));
    await hands.close();
    await micro.close();
  });
});
