import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bundle } from '../../../src/core/provider.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { type FakeApi, type FakeCall, fakeApi, NAMESPACE, refuse } from './fake-api.ts';

const want = sampleTarget({ application: 'shop', platform: 'ocp', number: 1 });
const CONFIG = `shop-${want.release.id}`;
const BUILDS = `/apis/build.openshift.io/v1${NAMESPACE}/builds`;
const ACCOUNT = `/api/v1${NAMESPACE}/serviceaccounts/builder`;
const bundle: Bundle = {
  digest: 'sha256:0',
  files: [],
  root: '/nowhere',
  zip: async () => Buffer.from('zip'),
  tarGz: async () => Buffer.from('the source'),
};

let api: FakeApi;

beforeEach(async () => {
  api = await fakeApi();
  api.objects.set(ACCOUNT, { metadata: { name: 'builder' } });
});

afterEach(() => api.close());

function build(number: number, status: object): object {
  const name = `${CONFIG}-${number}`;
  const made = {
    metadata: { name, annotations: { 'openshift.io/build.number': String(number) } },
    status: { outputDockerImageReference: `registry:5000/shop/shop:${want.release.id}`, ...status },
  };
  api.objects.set(`${BUILDS}/${name}`, made);
  return made;
}

function isUpload(call: FakeCall): boolean {
  return call.path.endsWith('/instantiatebinary');
}

function uploads(): number {
  return api.calls.filter(isUpload).length;
}

describe('staging a release', () => {
  it('uploads the source to a build of its own BuildConfig and follows it to a digest', async () => {
    api.script((call) =>
      isUpload(call) ? { status: 201, json: build(1, { phase: 'Running' }) } : undefined,
    );
    const provider = api.provider();
    const { handle } = await provider.stage(api.context, want, bundle);
    expect(api.calls.find(isUpload)?.body.toString()).toBe('the source');
    expect(handle.native).toEqual({ build: `${CONFIG}-1`, release: want.release.id });
    expect(await provider.poll(api.context, handle)).toMatchObject({ state: 'running' });
    build(1, { phase: 'Complete', output: { to: { imageDigest: 'sha256:abc' } } });
    expect(await provider.poll(api.context, handle)).toMatchObject({
      state: 'succeeded',
      artifact: {
        digest: 'sha256:abc',
        native: { image: 'registry:5000/shop/shop@sha256:abc', build: `${CONFIG}-1` },
      },
    });
  });

  it('adopts a build that was begun before a crash', async () => {
    build(1, { phase: 'Pending' });
    const { handle, done } = await api.provider().stage(api.context, want, bundle);
    expect(handle.native['build']).toBe(`${CONFIG}-1`);
    expect(done).toBeUndefined();
    expect(uploads()).toBe(0);
  });

  it('is done at once when the build is, and builds anew when the last one failed', async () => {
    build(1, { phase: 'Complete', output: { to: { imageDigest: 'sha256:abc' } } });
    const { done } = await api.provider().stage(api.context, want, bundle);
    expect(done?.artifact?.digest).toBe('sha256:abc');
    api.objects.clear();
    api.objects.set(ACCOUNT, { metadata: {} });
    build(1, { phase: 'Failed' });
    api.script((call) =>
      isUpload(call) ? { status: 201, json: build(2, { phase: 'Running' }) } : undefined,
    );
    const { handle } = await api.provider().stage(api.context, want, bundle);
    expect(handle.native['build']).toBe(`${CONFIG}-2`);
  });

  it('takes up the build that was made although the answer was lost', async () => {
    api.script((call) => {
      if (!isUpload(call)) return undefined;
      build(1, { phase: 'Running' });
      return { status: 502, text: '<html>bad gateway</html>' };
    });
    const { handle } = await api.provider().stage(api.context, want, bundle);
    expect(handle.native['build']).toBe(`${CONFIG}-1`);
    expect(uploads()).toBe(1);
  });

  it('uploads to a new build when the connection broke, and leaves the build that it broke', async () => {
    let uploaded = 0;
    api.script((call) => {
      if (!isUpload(call)) return undefined;
      uploaded++;
      if (uploaded > 1) return { status: 201, json: build(2, { phase: 'Running' }) };
      build(1, { phase: 'Cancelled', reason: 'CancelledBuild' });
      return { status: 502, text: '<html>bad gateway</html>' };
    });
    const { handle } = await api.provider().stage(api.context, want, bundle);
    expect(handle.native['build']).toBe(`${CONFIG}-2`);
  });

  it('uploads again when the refusal was passing and made nothing', async () => {
    api.script((call) => {
      if (!isUpload(call)) return undefined;
      if (uploads() < 3)
        return refuse(500, 'error getting push/pull secrets: serviceaccounts "builder" not found');
      return { status: 201, json: build(1, { phase: 'Running' }) };
    });
    await api.provider().stage(api.context, want, bundle);
    expect(uploads()).toBe(3);
  });

  it('waits for the builder account of a new project, but not for ever', async () => {
    api.objects.delete(ACCOUNT);
    let asked = 0;
    api.script((call) => {
      if (isUpload(call)) return { status: 201, json: build(1, { phase: 'Running' }) };
      if (call.path === ACCOUNT && ++asked === 3) return { status: 200, json: { metadata: {} } };
      return undefined;
    });
    await api.provider().stage(api.context, want, bundle);
    expect(asked).toBe(3);
    api.objects.clear();
    api.script(() => undefined);
    await expect(api.provider().stage(api.context, want, bundle)).rejects.toMatchObject({
      class: 'notFound',
    });
  });

  it('does not wait for an upload that a build which cannot begin will never read', async () => {
    api.script((call) => {
      if (!isUpload(call)) return undefined;
      build(1, { phase: 'New', reason: 'CannotCreateBuildPod', message: 'exceeded quota' });
      return new Promise(() => undefined);
    });
    const provider = api.provider();
    const { handle } = await provider.stage(api.context, want, bundle);
    const late = { ...api.context, now: () => handle.startedAt + 61_000 };
    expect(await provider.poll(late, handle)).toMatchObject({
      state: 'failed',
      error: { class: 'buildFailed', why: 'CannotCreateBuildPod: exceeded quota', where: 'ocp' },
    });
  });

  it('fails with the build’s reason and the end of its log, shown once', async () => {
    build(1, { phase: 'Failed', reason: 'AssembleFailed', message: 'Assemble script failed.' });
    api.script((call) => (call.path.endsWith('/log') ? { status: 200, text: 'one\ntwo\n' } : undefined));
    const handle = {
      platform: 'ocp',
      application: 'shop',
      kind: 'stage' as const,
      native: { build: `${CONFIG}-1`, release: want.release.id, lines: '1' },
      startedAt: 0,
    };
    const status = await api.provider().poll(api.context, handle);
    expect(status).toMatchObject({
      state: 'failed',
      error: {
        class: 'buildFailed',
        why: 'AssembleFailed: Assemble script failed.',
        logTail: ['one', 'two'],
      },
    });
    expect(api.lines.map((line) => line.text)).toEqual(['two']);
  });

  it('touches nothing when a thing of the name is somebody else’s', async () => {
    api.objects.set(`/api/v1${NAMESPACE}/services/shop`, { metadata: { name: 'shop', labels: {} } });
    await expect(api.provider().stage(api.context, want, bundle)).rejects.toMatchObject({
      class: 'conflict',
      message: expect.stringContaining('Service shop'),
    });
    expect(api.calls.filter((call) => call.method !== 'GET')).toEqual([]);
  });
});
