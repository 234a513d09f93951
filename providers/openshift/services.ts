import { platformError } from '../../src/core/errors.ts';
import type { ProviderContext, TargetSpec } from '../../src/core/provider.ts';
import type { HandedOut } from '../../src/core/service-power.ts';
import { type ServiceSpec, serviceVariables } from '../../src/core/services.ts';
import { SECRET } from './resources.ts';
import type { Site } from './site.ts';
import { ownEnvironment } from './translate.ts';

/** Every Secret that a service comes from must be there; throws, naming the one that is not. */
export async function checkServices(site: Site, context: ProviderContext, want: TargetSpec): Promise<void> {
  for (const { name, source } of want.services ?? []) {
    if (source.how !== 'existing') continue;
    if (await site.client.get(SECRET, source.name, context.signal)) continue;
    throw platformError('notFound', site.platform, `there is no Secret ${source.name}`, {
      why: `${name} is to come from it, and namespace ${site.options.namespace} has none of that name`,
      remedy: 'make it (oc create secret generic), or give the `credentials` in the file',
    });
  }
}

/** Of each service whose Secret is there. */
export async function handedOut(
  site: Site,
  context: ProviderContext,
  services: readonly ServiceSpec[],
): Promise<HandedOut> {
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const { name, source } of services) {
    if (source.how !== 'existing') continue;
    const secret = await site.client.get(SECRET, source.name, context.signal);
    if (secret !== undefined) found[name] = serviceVariables(name, ownEnvironment(secret.data));
  }
  return found;
}

/** The environment with what its services hand out; nothing of Secrets that are not there. */
export async function withServices(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
): Promise<TargetSpec> {
  if (want.services === undefined) return want;
  const handed = await handedOut(site, context, want.services);
  return { ...want, env: Object.assign({}, ...Object.values(handed), want.env) };
}
