import { platformError } from '../../src/core/errors.ts';
import type { ProviderContext, TargetSpec } from '../../src/core/provider.ts';
import { serviceVariables } from '../../src/core/services.ts';
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

/** The environment with what its services hand out; nothing of Secrets that are not there. */
export async function withServices(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
): Promise<TargetSpec> {
  const env: Record<string, string> = {};
  for (const { name, source } of want.services ?? []) {
    if (source.how !== 'existing') continue;
    const secret = await site.client.get(SECRET, source.name, context.signal);
    Object.assign(env, serviceVariables(name, ownEnvironment(secret?.data ?? {})));
  }
  return want.services === undefined ? want : { ...want, env: { ...env, ...want.env } };
}
