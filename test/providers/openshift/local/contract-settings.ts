import type { Setting } from './contract-session.ts';

/** The recorded sessions and how each was set up. */
export const SETTINGS: Readonly<Record<string, Setting>> = {
  'routes as a custom resource': {
    folders: ['golden'],
    mode: 'microshift',
    developer: /03-forbidden|11-ssar/,
    settles: ['golden/65-quota-exceeded'],
    // Another namespace had a pod that listens nowhere.
    async prepare(ask) {
      await ask('POST', '/api/v1/namespaces', { metadata: { name: 'demo' } });
      await ask('POST', '/apis/apps/v1/namespaces/demo/deployments', {
        metadata: { name: 'dead' },
        spec: {
          selector: { matchLabels: { app: 'dead' } },
          template: {
            metadata: { labels: { app: 'dead' } },
            spec: { containers: [{ name: 'x', image: 'x', env: [{ name: 'SIM', value: 'nolisten' }] }] },
          },
        },
      });
    },
  },
  'the aggregated API without controllers': {
    folders: ['golden-openshift'],
    mode: 'openshift',
    without: ['namespace', 'build', 'route'],
    developer: /49-route-developer/,
    begins: {
      'golden-openshift/27-instantiatebinary-build-error': 'golden-openshift/25-builds',
      'golden-openshift/32-instantiatebinary-cancelled': 'golden-openshift/29-build2',
    },
  },
  'routes and the right to a host of one’s own': {
    folders: ['golden-openshift-routes'],
    mode: 'openshift',
    without: ['route'],
    developer: /^(?!.*(07-route-host-change-admin|11-route-same-host))/,
    async prepare(ask) {
      for (const [namespace, resources] of [
        ['shop4', ['routes', 'routes/custom-host']],
        ['shop5', ['routes']],
      ] as const) {
        await ask('POST', '/apis/project.openshift.io/v1/projectrequests', { metadata: { name: namespace } });
        const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
        await ask('POST', `${rbac}/roles`, {
          metadata: { name: 'routes' },
          rules: [
            { apiGroups: ['route.openshift.io'], resources: [...resources.slice(0, 1)], verbs: ['*'] },
            { apiGroups: ['route.openshift.io'], resources: [...resources.slice(1)], verbs: ['create'] },
          ],
        });
        await ask('POST', `${rbac}/rolebindings`, {
          metadata: { name: 'routes' },
          roleRef: { kind: 'Role', name: 'routes' },
          subjects: [{ kind: 'User', name: 'developer' }],
        });
      }
    },
  },
  'a source build end to end, and versions too old': {
    folders: ['golden-s2i', 'golden-watch'],
    mode: 'openshift',
    compactsBefore: 'golden-watch/06-list-expired-continue-410',
    begins: { 'golden-s2i/14-builds-watch': 'golden-s2i/zz-instantiatebinary-ok' },
  },
};
