import { platformError, toWire } from '../../src/core/errors.ts';
import type { PlanCheck, TargetSpec } from '../../src/core/provider.ts';
import { mayWe, nameOf, type Right } from './access.ts';
import { INGRESS } from './resources.ts';
import type { Site } from './site.ts';
import { volumesIn } from './volumes.ts';

const ALWAYS: readonly Right[] = [
  { verb: 'create', group: 'apps', resource: 'deployments' },
  { verb: 'patch', group: 'apps', resource: 'deployments' },
  { verb: 'list', group: 'apps', resource: 'replicasets' },
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'patch', group: '', resource: 'services' },
  { verb: 'patch', group: '', resource: 'secrets' },
];
const ROUTES: Right = { verb: 'patch', group: 'route.openshift.io', resource: 'routes' };
const INGRESSES: Right = { verb: 'patch', group: 'networking.k8s.io', resource: 'ingresses' };
const CLAIMS: Right = { verb: 'patch', group: '', resource: 'persistentvolumeclaims' };
/** An image that was built elsewhere needs none of these. */
const BUILDING: readonly Right[] = [
  { verb: 'patch', group: 'image.openshift.io', resource: 'imagestreams' },
  { verb: 'patch', group: 'build.openshift.io', resource: 'buildconfigs' },
  { verb: 'create', group: 'build.openshift.io', resource: 'buildconfigs', subresource: 'instantiatebinary' },
];
/** To give a new route a host, and an old one another. */
const CUSTOM_HOST: readonly Right[] = ['create', 'update'].map((verb) => ({
  verb,
  group: 'route.openshift.io',
  resource: 'routes',
  subresource: 'custom-host',
}));

/** Whether the account may do what a deployment does, one right after the other. */
export async function rightChecks(
  site: Site,
  want: TargetSpec,
  signal: AbortSignal,
): Promise<readonly PlanCheck[]> {
  const needed = neededRights(site, want);
  const found = await Promise.all(needed.map((right) => mayWe(site, right, signal)));
  return needed.flatMap((right, i) => {
    const access = found[i];
    if (access === undefined) return [];
    const what = `right to ${nameOf(right)}`;
    if (access.allowed) return [{ what, found: 'allowed' }];
    const { namespace } = site.options;
    const error = platformError('forbidden', site.platform, `the token may not ${nameOf(right)}`, {
      why: access.reason ?? `a SelfSubjectAccessReview in project "${namespace}" says no`,
      remedy: CUSTOM_HOST.includes(right)
        ? 'grant create and update on routes/custom-host, or leave out routeHost and `publicHost: map`'
        : `give its account the role \`edit\` there (\`oc policy add-role-to-user edit … -n ${namespace}\`)`,
    });
    return [{ what, found: 'not allowed', error: toWire(error) }];
  });
}

function neededRights({ routing, options }: Site, want: TargetSpec): readonly Right[] {
  const claims = volumesIn(want.services ?? []).length > 0 ? [CLAIMS] : [];
  const building = [...claims, ...(want.image === undefined ? BUILDING : [])];
  if (routing.kind === INGRESS.kind) return [...ALWAYS, INGRESSES, ...building];
  const choosesHosts = want.hosts.length > 0 || options.routeHost !== undefined;
  return [...ALWAYS, ROUTES, ...building, ...(choosesHosts ? CUSTOM_HOST : [])];
}
