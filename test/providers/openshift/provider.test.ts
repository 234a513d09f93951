import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { schema } from '../../../providers/openshift/config.ts';
import { SluiceError, toWire } from '../../../src/core/errors.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import {
  type FakeAnswer,
  type FakeApi,
  fakeApi,
  NAMESPACE,
  OPENSHIFT_GROUPS as OPENSHIFT,
  refuse,
} from './fake-api.ts';

let api: FakeApi;

beforeEach(async () => {
  api = await fakeApi();
});

afterEach(() => api.close());

function endpoint(groups: readonly string[], allowed = true): void {
  api.script(({ path }): FakeAnswer | undefined => {
    if (path.endsWith('/selfsubjectreviews'))
      return { status: 201, json: { status: { userInfo: { username: 'bot' } } } };
    if (path.endsWith('/selfsubjectaccessreviews')) return { status: 201, json: { status: { allowed } } };
    if (path === '/version') return { status: 200, json: { gitVersion: 'v1.32.13' } };
    if (path === '/apis') return { status: 200, json: { groups: groups.map((name) => ({ name })) } };
    return undefined;
  });
}

async function caught(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.catch((error: unknown) => error);
  if (error instanceof SluiceError) return error;
  throw new Error(`expected a SluiceError, got ${String(error)}`);
}

describe('describing the endpoint', () => {
  it('says who we are there and what it runs', async () => {
    endpoint(OPENSHIFT);
    expect(await api.provider().describe(api.context)).toEqual({
      kind: 'openshift',
      apiVersion: 'v1.32.13',
      identity: 'bot',
      capabilities: { sideBySide: true, hostHeader: 'must-match' },
    });
  });

  it.each([
    [['apps', 'networking.k8s.io'], 'v1.32.13, no Routes, no builds'],
    [['apps', 'networking.k8s.io', 'route.openshift.io'], 'v1.32.13, no builds'],
  ])('tells plain Kubernetes and MicroShift by what they lack: %j', async (groups, apiVersion) => {
    endpoint(groups);
    expect(await api.provider().describe(api.context)).toMatchObject({ apiVersion });
  });

  it('names what leads hosts to applications nowhere', async () => {
    endpoint(['apps']);
    expect(await caught(api.provider().describe(api.context))).toMatchObject({
      class: 'unsupported',
      message: 'the cluster has neither Routes nor Ingresses',
    });
  });

  it('says beforehand that the rights will not do', async () => {
    endpoint(OPENSHIFT, false);
    expect(await caught(api.provider().describe(api.context))).toMatchObject({ class: 'forbidden' });
  });

  it('recognises a server that is no OpenShift, and shows no secret', async () => {
    api.script(() => ({ status: 200, text: '<html>Log in here</html>' }));
    const error = await caught(api.provider().describe(api.context));
    expect(error.class).toBe('unsupported');
    expect(JSON.stringify(toWire(error))).not.toContain('planted-token');
  });
});

describe('applying', () => {
  const want = sampleTarget({ application: 'shop', platform: 'ocp', number: 1 });
  const artifact = { native: { image: 'registry/shop@sha256:a' } };
  const DEPLOYMENT = `/apis/apps/v1${NAMESPACE}/deployments/shop`;
  const ROUTES = `/apis/route.openshift.io/v1${NAMESPACE}/routes`;

  it('forces only what carries our stamp, and says who writes', async () => {
    const provider = api.provider();
    await provider.apply(api.context, want, artifact);
    await provider.apply(api.context, want, artifact);
    const forced = api.calls.filter((c) => c.method === 'PATCH' && c.path === DEPLOYMENT).map((c) => c.query);
    expect(forced.map((query) => query.get('force'))).toEqual(['false', 'true']);
    expect(forced.every((query) => query.get('fieldManager') === 'sluice')).toBe(true);
  });

  it('leaves the instances alone when a router refuses the route', async () => {
    api.script(({ method, path }) =>
      method === 'GET' && path === ROUTES
        ? {
            status: 200,
            json: {
              items: [
                {
                  metadata: { name: 'shop' },
                  spec: { host: 'shop.test' },
                  status: {
                    ingress: [
                      {
                        host: 'shop.test',
                        conditions: [
                          {
                            type: 'Admitted',
                            status: 'False',
                            reason: 'HostAlreadyClaimed',
                            message: 'a holds it',
                          },
                        ],
                      },
                    ],
                  },
                },
              ],
            },
          }
        : undefined,
    );
    const error = await caught(api.provider().apply(api.context, want, artifact));
    expect(error).toMatchObject({ class: 'conflict', details: { why: 'HostAlreadyClaimed: a holds it' } });
    expect(api.objects.has(DEPLOYMENT)).toBe(false);
  });

  it('says which right a host of one’s own needs', async () => {
    api.script(({ method, path }) =>
      method === 'PATCH' && path.startsWith(ROUTES)
        ? refuse(422, 'spec.host: Forbidden: you do not have permission to set the host field of the route')
        : undefined,
    );
    const error = await caught(api.provider().apply(api.context, want, artifact));
    expect(error).toMatchObject({
      class: 'forbidden',
      details: { remedy: expect.stringContaining('custom-host') },
    });
  });

  it('remembers a failure that the process which saw it could not tell', async () => {
    const provider = api.provider();
    const { handle } = await provider.apply(api.context, want, artifact);
    const applied = api.objects.get(DEPLOYMENT) as { metadata: { annotations: Record<string, string> } };
    applied.metadata.annotations['sluice.dev/failed-release'] = want.release.id;
    applied.metadata.annotations['sluice.dev/failed-reason'] = 'CrashLoopBackOff';
    expect(await provider.poll(api.context, handle)).toMatchObject({
      state: 'failed',
      error: { class: 'startFailed', why: 'CrashLoopBackOff' },
    });
    // Trying again is a new rollout, and applying that twice is not.
    await provider.apply(api.context, want, artifact);
    const retried = JSON.stringify(api.objects.get(DEPLOYMENT));
    expect(retried).toContain('sluice.dev/retry');
    expect(retried).not.toContain('failed-release');
    await provider.apply(api.context, want, artifact);
    expect(JSON.stringify(api.objects.get(DEPLOYMENT))).toBe(retried);
  });

  it('never goes back to a release that was left there because it failed', async () => {
    const provider = api.provider();
    const next = sampleTarget({ application: 'shop', platform: 'ocp', number: 2 });
    await provider.apply(api.context, want, artifact);
    expect((await provider.apply(api.context, next, artifact)).handle.native['previous']).toBe(
      want.release.id,
    );
    const applied = api.objects.get(DEPLOYMENT) as { metadata: { annotations: Record<string, string> } };
    applied.metadata.annotations['sluice.dev/failed-release'] = next.release.id;
    expect((await provider.apply(api.context, want, artifact)).handle.native['previous']).toBeUndefined();
  });

  it('is a conflict when another template was applied since, with who did it', async () => {
    const provider = api.provider();
    const { handle } = await provider.apply(api.context, want, artifact);
    await provider.apply(
      api.context,
      sampleTarget({ application: 'shop', platform: 'ocp', number: 2 }),
      artifact,
    );
    expect(await provider.poll(api.context, handle)).toMatchObject({
      state: 'failed',
      error: { class: 'conflict', why: expect.stringContaining('gave it another template') },
    });
  });
});

describe('the configuration', () => {
  const good = { api: 'https://api.test:6443', namespace: 'shop', credentials: { token: 't' } };

  it('needs an address, a namespace and a token, and knows no other keys', () => {
    expect(schema.parse(good).builder).toContain('nodejs');
    for (const bad of [
      { ...good, api: 'api.test' },
      { ...good, api: 'ftp://api.test' },
      { ...good, api: 'https://me:secret@api.test' },
      { ...good, namespace: 'Shop Space' },
      { ...good, credentials: {} },
      { ...good, tokne: 'x' },
    ]) {
      expect(schema.safeParse(bad).success).toBe(false);
    }
  });
});
