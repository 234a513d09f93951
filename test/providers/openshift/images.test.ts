import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TargetSpec } from '../../../src/core/provider.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type LocalHarness, NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';

const DIGEST = `sha256:${'c'.repeat(64)}`;
const REFERENCE = `quay.io/team/shop@${DIGEST}`;
const registry = { username: 'puller', password: 'planted-canary' };
let harness: LocalHarness;
let drive: Driver;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  const bundle = await sampleBundle('ok');
  await mkdir(join(dir, 'quay.io/team'), { recursive: true });
  await cp(bundle.root, join(dir, 'quay.io/team', `shop@${DIGEST}`), { recursive: true });
  await writeFile(join(dir, 'quay.io/credentials.json'), JSON.stringify(registry));
  await bundle.remove();
  harness = await openLocal({ imagesDir: dir });
  drive = createDriver({ provider: () => harness.provider() });
});
afterAll(async () => {
  await drive.close();
  await harness.close();
  await rm(dir, { recursive: true, force: true });
});

function imageTarget(application: string, image: TargetSpec['image'], more = {}): TargetSpec {
  const want = sampleTarget({ application, platform: PLATFORM, number: 1, instances: 1, ...more });
  return { ...want, ...(image === undefined ? {} : { image }) };
}

async function deploy(want: TargetSpec) {
  const artifact = await drive.succeed(drive.fresh().stage(drive.context, want, undefined));
  return drive.settle(drive.fresh().apply(drive.context, want, artifact ?? { native: {} }));
}

describe('a container image that was built elsewhere', () => {
  it('runs by its digest, pulled with the credentials of its registry, and nothing is built', async () => {
    const want = imageTarget('shop', { reference: REFERENCE, registry });
    expect(await deploy(want)).toMatchObject({ state: 'succeeded' });
    const provider = drive.fresh();
    const seen = await provider.observe(drive.context, 'shop');
    expect(seen.serving).toBe(want.release.id);
    const answer = await requestOrigin(seen.origins[0]!, '/');
    expect(answer).toMatchObject({ status: 200 });
    const { spec } = await harness.read(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/shop`);
    expect(spec.template.spec.containers[0].image).toBe(REFERENCE);
    const builds = await harness.read(`/apis/build.openshift.io/v1/namespaces/${NAMESPACE}/buildconfigs`);
    expect(builds.items).toEqual([]);
    const pull = await harness.read(`/api/v1/namespaces/${NAMESPACE}/secrets/shop-registry`);
    expect(pull.type).toBe('kubernetes.io/dockerconfigjson');

    const plan = async (spec: TargetSpec) =>
      (await provider.plan(drive.context, spec, seen)).filter(({ action }) => action !== 'none');
    expect(await plan(want)).toEqual([]);
    const rotated = { ...want, image: { reference: REFERENCE, registry: { ...registry, password: 'next' } } };
    const changes = await plan(rotated);
    expect(changes).toMatchObject([{ action: 'change', field: 'registry credentials' }]);
    expect(JSON.stringify(changes)).not.toContain('next');
    expect(JSON.stringify(drive.lines)).not.toContain('planted-canary');

    const task = {
      ...{ name: 'look', run: 'look-1', memoryBytes: 64 * 1024 * 1024, timeoutMs: 20_000 },
      command: 'test -f server.js',
    };
    const artifact = { native: { image: REFERENCE } };
    await drive.succeed(provider.tasks!.start(drive.context, want, artifact, task));
    await drive.succeed(provider.destroy(drive.context, 'shop'));
    const left = await harness.read(`/api/v1/namespaces/${NAMESPACE}/secrets`);
    expect(left.items.map((one: { metadata: { name: string } }) => one.metadata.name)).not.toContain(
      'shop-registry',
    );
  });

  it('that the cluster may not or cannot pull fails with what the cluster says', async () => {
    const settled = await deploy(imageTarget('closed', { reference: REFERENCE }, { startTimeoutMs: 1_000 }));
    expect(settled).toMatchObject({
      state: 'failed',
      error: { class: 'startFailed', why: expect.stringContaining('pull') },
    });
    expect(JSON.stringify(settled)).toMatch(/no basic auth credentials|Back-off pulling image/);
  });
});
