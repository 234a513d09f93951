import { platformError } from '../../src/core/errors.ts';
import type { PlatformInfo, ProviderContext } from '../../src/core/provider.ts';
import { mayWe } from './access.ts';
import { INGRESS } from './resources.ts';
import type { Site } from './site.ts';
import { selfReviewSchema, versionSchema } from './wire.ts';

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
  const version = await client.read('/version', versionSchema, signal);
  await mayDeploy(site, signal);
  return {
    kind: 'openshift',
    apiVersion: [version.gitVersion, ...lacks(site)].join(', '),
    identity: self.status.userInfo.username,
    capabilities: { sideBySide: true, hostHeader: 'must-match' },
  };
}

/** Plain Kubernetes and MicroShift are told from what they have not. */
function lacks({ capabilities, routing }: Site): readonly string[] {
  return [
    ...(routing.kind === INGRESS.kind ? ['no Routes'] : []),
    ...(capabilities.builds ? [] : ['no builds']),
  ];
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
