// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parameters of templates are written so.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { handedOutBy, stamped, waitsFor } from '../../../providers/openshift/template-objects.ts';
import { anyObjectSchema } from '../../../providers/openshift/wire.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import type { ServiceSource } from '../../../src/core/services.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { type Json, type LocalHarness, NAMESPACE, openLocal } from './local-harness.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('what a template made', () => {
  const secret = (annotations: Readonly<Record<string, string>> = {}) =>
    anyObjectSchema.parse({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', annotations } },
      data: { 'database-password': base64('pw') },
    });

  it('hands out what its author exposes, and all of its Secrets where nobody says anything', () => {
    const said = { 'template.openshift.io/expose-password': "{.data['database-password']}" };
    const encoded = { 'template.openshift.io/base64-expose-key': "{.data['database-password']}" };
    expect(handedOutBy('db', [secret()])).toEqual({ DB_DATABASE_PASSWORD: 'pw' });
    expect(handedOutBy('db', [secret(said)])).toEqual({ DB_PASSWORD: 'pw' });
    expect(handedOutBy('db', [secret(encoded)])).toEqual({ DB_KEY: base64('pw') });
  });

  it('carries our labels, pods too, and none that make it the application’s', () => {
    const object = anyObjectSchema.parse({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'db', labels: { app: 'db' } } },
      spec: { replicas: 1, template: { metadata: { labels: { name: 'db' } }, spec: {} } },
    });
    const made = stamped(object, 'shop', 'db') as Json;
    const ours = { 'sluice.dev/service-of': 'shop', 'sluice.dev/service': 'db' };
    expect(made.metadata.labels).toMatchObject({ app: 'db', ...ours });
    expect(made.metadata.labels).not.toHaveProperty('sluice.dev/application');
    expect(made.spec.template.metadata.labels).toMatchObject({ name: 'db', ...ours });
    expect(Object.keys(made.metadata)).not.toContain('managedFields');
  });

  it.each<[string, object, string | undefined]>([
    ['Deployment', { spec: { replicas: 2 }, status: { readyReplicas: 1 } }, '1 of 2 pods are ready'],
    ['StatefulSet', { spec: {}, status: { readyReplicas: 1 } }, undefined],
    ['Job', { status: {} }, 'it still runs'],
    ['ConfigMap', {}, undefined],
  ])('is waited for where it takes time: %s', (kind, more, expected) => {
    expect(waitsFor(anyObjectSchema.parse({ kind, metadata: { name: 'db' }, ...more }))).toBe(expected);
  });
});

describe('on a local OpenShift', () => {
  const context = { signal: new AbortController().signal, now: () => Date.now(), log: () => undefined };
  const TEMPLATES = `/apis/template.openshift.io/v1/namespaces/${NAMESPACE}/templates`;
  const CORE = `/api/v1/namespaces/${NAMESPACE}`;
  const target = sampleTarget({ application: 'shop', platform: 'ocp', number: 1 });
  let harness: LocalHarness;
  let provider: PlatformProvider;
  beforeAll(async () => {
    harness = await openLocal();
    await harness.create(TEMPLATES, {
      ...{ apiVersion: 'template.openshift.io/v1', kind: 'Template', metadata: { name: 'postgres' } },
      parameters: [
        { name: 'NAME', required: true },
        { name: 'PASSWORD', generate: 'expression', from: '[a-zA-Z0-9]{16}' },
      ],
      objects: [
        {
          ...{ apiVersion: 'v1', kind: 'Secret' },
          metadata: {
            name: '${NAME}',
            annotations: { 'template.openshift.io/expose-password': "{.data['password']}" },
          },
          stringData: { password: '${PASSWORD}' },
        },
        {
          ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: '${NAME}' } },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
        {
          ...{ apiVersion: 'v1', kind: 'Service' },
          metadata: {
            name: '${NAME}',
            annotations: {
              'template.openshift.io/expose-uri': 'postgres://{.spec.clusterIP}:{.spec.ports[0].port}',
            },
          },
          spec: { ports: [{ name: 'db', port: 5_432 }], selector: { name: '${NAME}' } },
        },
      ],
    });
  });
  beforeEach(() => {
    provider = harness.provider();
  });
  afterAll(async () => {
    await provider.close();
    await harness.close();
  });

  const from = (parameters: Readonly<Record<string, string>> = { NAME: 'shop-db' }, name = 'postgres') => {
    const source: ServiceSource = { how: 'template', name, parameters };
    return { ...target, services: [{ name: 'db', source }] };
  };
  async function ensured(want = from()): Promise<Json> {
    const { handle } = await provider.services!.ensure(context, want);
    // As another process finds it in the journal.
    const stored = JSON.parse(JSON.stringify(handle));
    for (;;) {
      const status = await provider.poll(context, stored);
      if (status.state !== 'running') return status;
      await systemClock.sleep(20);
    }
  }
  const handed = async () => (await provider.services!.handedOut(context, 'shop', from().services))?.['db'];

  it('is filled in once: made again it hands out the same, and what is missing is made of the same', async () => {
    expect(await ensured()).toMatchObject({ state: 'succeeded' });
    const first = await handed();
    expect(first).toEqual({
      DB_PASSWORD: expect.stringMatching(/^[a-zA-Z0-9]{16}$/),
      DB_URI: expect.stringMatching(/^postgres:\/\/[\d.]+:5432$/),
    });
    await harness.remove(`${CORE}/secrets/shop-db`);
    expect(await handed()).toEqual({ DB_URI: first?.['DB_URI'] });
    expect(await ensured()).toMatchObject({ state: 'succeeded' });
    expect((await handed())?.['DB_PASSWORD']).toBe(first?.['DB_PASSWORD']);
  });

  it('stays when the application goes, and is removed with all of it when that is ordered', async () => {
    const { handle } = await provider.destroy(context, 'shop');
    while ((await provider.poll(context, handle)).state === 'running') await systemClock.sleep(20);
    const what = 'Secret shop-db, PersistentVolumeClaim shop-db, Service shop-db';
    expect(await provider.services!.made(context, 'shop')).toEqual([{ service: 'db', what, usedBy: [] }]);
    const removal = await provider.services!.remove(context, 'shop');
    for (;;) {
      const status = await provider.poll(context, removal.handle);
      if (status.state !== 'running') {
        expect(status).toMatchObject({ state: 'succeeded' });
        break;
      }
      await systemClock.sleep(20);
    }
    for (const kind of ['secrets', 'services', 'persistentvolumeclaims']) {
      const left = (await harness.read(`${CORE}/${kind}`)).items.map((one: Json) => one.metadata.name);
      expect(left.filter((name: string) => name.startsWith('shop-db'))).toEqual([]);
    }
    expect(await provider.services!.made(context, 'shop')).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, string, object]>([
    [
      'a parameter that it has not',
      { NME: 'x' },
      'postgres',
      { class: 'invalid', message: 'template postgres has no parameter NME' },
    ],
    [
      'a parameter that it wants',
      {},
      'postgres',
      { class: 'invalid', details: { why: expect.stringContaining('parameter NAME is required') } },
    ],
    [
      'a template that there is not',
      {},
      'mysql',
      { class: 'notFound', message: 'there is no template mysql' },
    ],
  ])('is refused for %s, before anything is made', async (_what, parameters, name, error) => {
    await expect(provider.services!.ensure(context, from(parameters, name))).rejects.toMatchObject(error);
    expect(await provider.services!.made(context, 'shop')).toEqual([]);
  });

  it('touches nothing of that name that is not ours', async () => {
    await harness.create(`${CORE}/services`, {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'theirs' }, spec: { ports: [{ port: 1 }] } },
    });
    await expect(provider.services!.ensure(context, from({ NAME: 'theirs' }))).rejects.toMatchObject({
      class: 'conflict',
      message: expect.stringContaining('Service theirs'),
    });
    const removal = await provider.services!.remove(context, 'shop');
    while (removal.done === undefined && (await provider.poll(context, removal.handle)).state === 'running')
      await systemClock.sleep(20);
    expect((await harness.read(`${CORE}/services/theirs`)).metadata.name).toBe('theirs');
  });
});
