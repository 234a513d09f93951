import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployment, processDeployment } from '../../../providers/openshift/manifests.ts';
import type { PlacedSpec } from '../../../providers/openshift/mounts.ts';
import { claimManifest, mountOf, volumeChanges } from '../../../providers/openshift/volumes.ts';
import { claimSchema } from '../../../providers/openshift/wire.ts';
import type { OperationStatus, PlatformProvider, TargetSpec } from '../../../src/core/provider.ts';
import type { VolumeClaim } from '../../../src/core/services.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { type Json, type LocalHarness, NAMESPACE, openLocal } from './local-harness.ts';

const GIB = 1_073_741_824;
const claim = (more: Partial<VolumeClaim> = {}): VolumeClaim => ({
  ...{ sizeBytes: GIB, mount: '/data/files', accessMode: 'ReadWriteOnce' },
  ...more,
});
const target = sampleTarget({ application: 'shop', platform: 'ocp', number: 1 });
const wish = (more: Partial<VolumeClaim> = {}): TargetSpec => ({
  ...target,
  services: [{ name: 'files', source: { how: 'volume', claim: claim(more) } }],
});
const placed = (more: Partial<VolumeClaim> = {}): PlacedSpec => ({
  ...target,
  mounts: [mountOf('shop', { service: 'files', claim: claim(more) })],
});
const WORKER = { name: 'worker', command: 'work', memoryBytes: GIB, instances: 1 };

describe('a volume that one node may have', () => {
  const { spec } = deployment(placed(), 'image', undefined) as Json;

  it('has the old instance stop before the new one starts, or the two would wait for each other', () => {
    expect(spec.strategy).toEqual({ type: 'Recreate' });
    expect(spec.template.spec.volumes).toEqual([
      { name: 'files', persistentVolumeClaim: { claimName: 'shop-files' } },
    ]);
    expect(spec.template.spec.containers[0].volumeMounts).toEqual([
      { name: 'files', mountPath: '/data/files' },
    ]);
  });

  it('is not mounted by processes beside web, which would wait for web for ever', () => {
    const other = { image: 'image', replicas: 1 };
    const alone = processDeployment(placed(), WORKER, other) as Json;
    expect(alone.spec.template.spec).not.toHaveProperty('volumes');
    const shared = processDeployment(placed({ accessMode: 'ReadWriteMany' }), WORKER, other) as Json;
    expect(shared.spec.template.spec.volumes).toHaveLength(1);
  });
});

it('a volume that many nodes may have changes nothing of the rollout; one to read only is mounted so', () => {
  const { spec } = deployment(placed({ accessMode: 'ReadOnlyMany' }), 'image', undefined) as Json;
  expect(spec.strategy.type).toBe('RollingUpdate');
  expect(spec.template.spec.containers[0].volumeMounts[0].readOnly).toBe(true);
});

it('a plan tells of a volume that is made or grows', () => {
  const volumes = [{ service: 'files', claim: claim({ sizeBytes: 2 * GIB }) }];
  const held = claimSchema.parse(claimManifest('shop', { service: 'files', claim: claim() }));
  const change = { field: 'volume files', to: '2Gi', destructive: false };
  expect(volumeChanges('shop', volumes, [])).toEqual([{ action: 'create', ...change }]);
  expect(volumeChanges('shop', volumes, [held])).toEqual([{ action: 'change', ...change, from: '1Gi' }]);
});

describe('on a local OpenShift', () => {
  const context = { signal: new AbortController().signal, now: () => Date.now(), log: () => undefined };
  const CLAIMS = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`;
  let harness: LocalHarness;
  let provider: PlatformProvider;
  beforeAll(async () => {
    harness = await openLocal();
    provider = harness.provider();
  });
  afterAll(async () => {
    await provider.close();
    await harness.close();
  });

  async function ensured(want: TargetSpec): Promise<{ messages: string[]; status: OperationStatus }> {
    const messages: string[] = [];
    const { handle } = await provider.services!.ensure(context, want);
    for (;;) {
      const status = await provider.poll(context, handle);
      if (status.state !== 'running') return { messages, status };
      messages.push(status.message);
      await systemClock.sleep(10);
    }
  }
  const refused = async (more: Partial<VolumeClaim>) => {
    const error = (await provider
      .services!.ensure(context, wish(more))
      .catch((caught: unknown) => caught)) as Json;
    return [error.class, error.message, error.details?.why];
  };
  const claimNow = () => harness.read(`${CLAIMS}/shop-files`);

  it('a claim is waited for until it is bound, and grows', async () => {
    expect((await ensured(wish())).status.state).toBe('succeeded');
    expect((await claimNow()).status.phase).toBe('Bound');
    const grown = await ensured(wish({ sizeBytes: 2 * GIB }));
    expect(grown.status.state).toBe('succeeded');
    expect((await claimNow()).status.capacity).toEqual({ storage: '2Gi' });
  });

  it('what no claim can become is said in words, and in the checks of a plan', async () => {
    expect(await refused({ sizeBytes: GIB })).toEqual([
      ...['invalid', 'volume files cannot shrink'],
      'PersistentVolumeClaim shop-files holds 2Gi, 1Gi are wanted, and no volume gives anything back',
    ]);
    expect(await refused({ sizeBytes: 2 * GIB, accessMode: 'ReadWriteMany' })).toEqual([
      ...['invalid', 'volume files cannot become another kind of volume'],
      'PersistentVolumeClaim shop-files was made with access mode ReadWriteOnce, not ReadWriteMany, and nobody can change that afterwards',
    ]);
    const checks = await provider.check!(context, wish(), await provider.observe(context, 'shop'));
    expect(checks.find(({ what }) => what === 'volume files')?.error?.message).toBe(
      'volume files cannot shrink',
    );
  });

  it('a class that there is not ends the wait at once, in the platform’s words', async () => {
    const services = [
      { name: 'odd', source: { how: 'volume', claim: claim({ storageClass: 'gold' }) } },
    ] as const;
    expect((await ensured({ ...target, services })).status).toMatchObject({
      state: 'failed',
      error: { class: 'invalid', why: expect.stringContaining('"gold" not found') },
    });
  });

  it('a claim of that name that is not ours is left alone', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await harness.create(CLAIMS, {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'shop-theirs' }, spec },
    });
    const services = [{ name: 'theirs', source: { how: 'volume', claim: claim() } }] as const;
    await expect(provider.services!.ensure(context, { ...target, services })).rejects.toMatchObject({
      class: 'conflict',
    });
    expect((await provider.services!.made(context, 'shop')).map(({ service }) => service)).not.toContain(
      'theirs',
    );
  });

  it('no release is tried beside one that has such a volume', async () => {
    const trial = provider.trial!.start(context, wish({ sizeBytes: 2 * GIB }), { native: { image: 'x' } });
    await expect(trial).rejects.toMatchObject({
      class: 'invalid',
      message: expect.stringContaining('no release can be tried'),
    });
  });
});
