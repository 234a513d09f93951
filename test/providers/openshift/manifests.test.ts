import { describe, expect, it } from '@jest/globals';
import { withoutTag } from '../../../providers/openshift/builds.ts';
import { schema } from '../../../providers/openshift/config.ts';
import {
  buildConfig,
  builderReference,
  commandOf,
  deployment,
  restoredDeployment,
  routes,
  secret,
} from '../../../providers/openshift/manifests.ts';
import { checkName, secretName } from '../../../providers/openshift/names.ts';
import { INGRESS, ROUTE } from '../../../providers/openshift/resources.ts';
import { deploymentSchema } from '../../../providers/openshift/wire.ts';
import { sampleTarget } from '../../support/sample-app.ts';

const want = sampleTarget({
  application: 'shop',
  platform: 'ocp',
  number: 7,
  hosts: ['shop.example.com', '*'],
});
const options = schema.parse({ api: 'https://api.test:6443', namespace: 'n', credentials: { token: 't' } });

describe('what we want the platform to hold', () => {
  it('never takes an instance away before another is ready', () => {
    const { spec } = deployment(want, 'image@sha256:a', undefined) as unknown as {
      spec: Record<string, unknown>;
    };
    expect(spec['strategy']).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    expect(spec['progressDeadlineSeconds']).toBe(10);
  });

  it('runs under restricted-v2 and keeps secrets out of the template', () => {
    const manifest = deployment(
      { ...want, env: { ...want.env, KEY: 'planted-canary' } },
      'image@sha256:a',
      undefined,
    );
    const text = JSON.stringify(manifest);
    expect(text).toContain('"runAsNonRoot":true');
    expect(text).toContain('"drop":["ALL"]');
    expect(text).not.toContain('planted-canary');
    expect(text).not.toContain('image.openshift.io/triggers');
  });

  it('gets a command past Kubernetes to the shell as it was written', () => {
    const command = 'node $(cat main) $$ $HOME "$(date)"';
    const manifest = deployment({ ...want, process: { ...want.process, command } }, 'i', undefined);
    const words = deploymentSchema.parse(manifest).spec.template.spec.containers[0]?.command ?? [];
    expect(words[2]).toBe('node $(cat main) $$$$ $HOME "$$(date)"');
    expect(commandOf(words)).toBe(command);
  });

  it('names the environment by its content, whatever the order', () => {
    const name = secretName('shop', 'r-0000000001', { A: '1', B: '2' });
    expect(secretName('shop', 'r-0000000001', { B: '2', A: '1' })).toBe(name);
    expect(secretName('shop', 'r-0000000001', { A: '1', B: '3' })).not.toBe(name);
    expect(secret(want).metadata.name).toBe(secretName('shop', want.release.id, want.env));
  });

  it('has one route of its own and one for each public host, wildcards left to the gateway', () => {
    const made = routes(want, { options, routing: ROUTE });
    expect(made.map((route) => (route['spec'] as { host?: string }).host)).toEqual([
      undefined,
      'shop.example.com',
    ]);
    expect(JSON.stringify(made[0])).toContain('"insecureEdgeTerminationPolicy":"Redirect"');
    const plain = routes(want, {
      options: { ...options, router: 'http://127.0.0.1:1', routeHost: '{application}.local' },
      routing: ROUTE,
    });
    expect(plain[0]?.['spec']).toMatchObject({
      host: 'shop.local',
      tls: { insecureEdgeTerminationPolicy: 'Allow' },
    });
  });

  it('has Ingresses in their place where there are no Routes', () => {
    const site = { options: { ...options, routeHost: '{application}.local' }, routing: INGRESS };
    const [own] = routes(want, site);
    expect(own).toMatchObject({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' });
    const backend = { service: { name: 'shop', port: { name: 'http' } } };
    expect(own?.['spec']).toEqual({
      rules: [{ host: 'shop.local', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      tls: [{ hosts: ['shop.local'] }],
    });
    const chosen = { class: 'nginx', tlsSecret: 'apps-tls' };
    const [other] = routes(want, { ...site, options: { ...site.options, ingress: chosen } });
    expect(other?.['spec']).toMatchObject({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['shop.local'], secretName: 'apps-tls' }],
    });
  });

  it('builds each release by a BuildConfig of its own, under a tag of its own', () => {
    const manifest = buildConfig(want, options.builder);
    expect(manifest.metadata.name).toBe(`shop-${want.release.id}`);
    expect(manifest['spec']).toMatchObject({ output: { to: { name: `shop:${want.release.id}` } } });
    expect(JSON.stringify(manifest)).not.toContain('hello');
  });

  it('puts a template back as it was, under our stamp, with a note of what failed', () => {
    const now = deploymentSchema.parse(deployment(want, 'bad@sha256:b', undefined));
    const before = {
      metadata: {
        creationTimestamp: null,
        labels: { 'sluice.dev/release': 'r-0000000001', 'pod-template-hash': 'abc' },
        annotations: { 'sluice.dev/number': '6' },
      },
      spec: { containers: [], dnsPolicy: 'ClusterFirst' },
    };
    const template = deploymentSchema.parse({ metadata: {}, spec: { template: before } }).spec.template;
    const restored = restoredDeployment(
      now,
      'shop',
      { template, replicas: 3 },
      { release: want.release.id, reason: 'crash' },
    );
    expect(restored.metadata.labels).toMatchObject({ 'sluice.dev/release': 'r-0000000001' });
    expect(restored.metadata.annotations).toMatchObject({ 'sluice.dev/failed-release': want.release.id });
    expect(restored['spec']).toMatchObject({
      replicas: 3,
      template: {
        metadata: { labels: { 'sluice.dev/release': 'r-0000000001' } },
        spec: { dnsPolicy: 'ClusterFirst' },
      },
    });
    expect(JSON.stringify(restored)).not.toContain('pod-template-hash');
  });
});

describe('names and references', () => {
  it('tells an image stream tag from a docker image', () => {
    expect(builderReference('openshift/nodejs:20-ubi9')).toEqual({
      kind: 'ImageStreamTag',
      namespace: 'openshift',
      name: 'nodejs:20-ubi9',
    });
    expect(builderReference('mine')).toEqual({ kind: 'ImageStreamTag', name: 'mine:latest' });
    expect(builderReference('quay.io/a/b:1')).toEqual({ kind: 'DockerImage', name: 'quay.io/a/b:1' });
    expect(builderReference('localhost:5000/b')).toEqual({ kind: 'DockerImage', name: 'localhost:5000/b' });
  });

  it('drops a tag and nothing else of an image reference', () => {
    expect(withoutTag('registry:5000/shop/app:r-1')).toBe('registry:5000/shop/app');
    expect(withoutTag('registry:5000/shop/app')).toBe('registry:5000/shop/app');
  });

  it('refuses a name that Kubernetes would refuse, and says what names look like', () => {
    expect(() => checkName('ocp', 'shop-2')).not.toThrow();
    for (const name of ['Shop', '2shop', 'shop_web', 'shop-', 'a'.repeat(33)]) {
      expect(() => checkName('ocp', name)).toThrow(name);
    }
  });
});
