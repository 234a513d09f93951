import type { PlatformInfo } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import type { Options } from './config.ts';
import { checkedDomains } from './routes.ts';

export async function describe(session: Session, options: Options): Promise<PlatformInfo> {
  const root = await session.root();
  await session.spaceGuid();
  await checkedDomains(session, options.domain);
  return {
    kind: 'cloudfoundry',
    apiVersion: root.links.cloud_controller_v3?.meta?.version ?? '3',
    identity: `${await session.identity()} in ${options.org}/${options.space}`,
    // What is tried needs a copy of a droplet, which Korifi does not make.
    capabilities: { sideBySide: root.cf_on_k8s !== true, hostHeader: 'must-match' },
  };
}
