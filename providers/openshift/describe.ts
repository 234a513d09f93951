import { platformError } from '../../src/core/errors.ts';
import type { PlatformInfo, ProviderContext } from '../../src/core/provider.ts';
import { mayWe } from './access.ts';
import type { Site } from './site.ts';
import { groupListSchema, selfReviewSchema, versionSchema } from './wire.ts';

/** Parts of the API that plain Kubernetes lacks and a cluster may have switched off. */
const NEEDED: Readonly<Record<string, string>> = {
  'route.openshift.io': 'routes',
  'build.openshift.io': 'builds',
  'image.openshift.io': 'image streams',
};

export async function describe(site: Site, context: ProviderContext): Promise<PlatformInfo> {
  const { signal } = context;
  const { client } = site;
  // First of all, because an answer to this proves both address and token.
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const self = await client.review(
    '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    review,
    selfReviewSchema,
    signal,
  );
  const [version, groups] = await Promise.all([
    client.read('/version', versionSchema, signal),
    client.read('/apis', groupListSchema, signal),
  ]);
  const there = new Set(groups.groups.map((group) => group.name));
  const missing = Object.keys(NEEDED).filter((group) => !there.has(group));
  if (missing.length > 0) {
    throw platformError(
      'unsupported',
      site.platform,
      `the cluster has no ${missing.map((g) => NEEDED[g]).join(', no ')}`,
      {
        why: `${site.options.api}/apis does not list ${missing.join(', ')}`,
        remedy:
          'use an OpenShift cluster with these capabilities switched on; plain Kubernetes and MicroShift lack them',
      },
    );
  }
  await mayDeploy(site, signal);
  return {
    kind: 'openshift',
    apiVersion: version.gitVersion,
    identity: self.status.userInfo.username,
    capabilities: { sideBySide: true, hostHeader: 'must-match' },
  };
}

async function mayDeploy(site: Site, signal: AbortSignal): Promise<void> {
  const { namespace } = site.options;
  const access = await mayWe(site, { verb: 'patch', group: 'apps', resource: 'deployments' }, signal);
  if (access === undefined || access.allowed) return;
  throw platformError('forbidden', site.platform, `the token may not deploy to project "${namespace}"`, {
    why: access.reason ?? 'it lacks `patch` on deployments.apps',
    remedy: `check the namespace, or give the account the role \`edit\` there (\`oc policy add-role-to-user edit …\`)`,
  });
}
