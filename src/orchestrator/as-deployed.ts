import type { DeploymentRecord } from '../core/deployment.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';
import type { TargetSpec } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import { configurationDigest } from './configuration-digest.ts';
import { journalIn } from './journal.ts';
import { restoreConfiguration } from './kept-configuration.ts';
import { configHashOf } from './release-identity.ts';
import { releasesIn } from './releases.ts';
import { targetSpecOf } from './target-spec.ts';

export type AsDeployed =
  | { readonly state: 'known'; readonly want: TargetSpec }
  /** Nothing of it is live there. */
  | { readonly state: 'nothing' }
  /** What it was deployed with is not known in full any more: a secret, a count or a host was changed since. */
  | { readonly state: 'outdated'; readonly release: Release }
  /** A deployment is under way: whatever is seen now is about to change. */
  | { readonly state: 'changing' };

export interface Deployed {
  /** What was brought to a platform last and is to be found there. Reads the state only. */
  on(application: ApplicationName, platform: PlatformName): Promise<AsDeployed>;
}

export function deployedIn(deps: {
  readonly settings: Pick<Settings, 'applications'>;
  readonly store: StateStore;
  readonly hashKey: string;
  readonly scaledTo: (application: ApplicationName, platform: PlatformName) => number | undefined;
}): Deployed {
  const { settings, store, hashKey } = deps;
  const releases = releasesIn(store);
  const journal = journalIn(store);
  let read: { readonly keys: string; readonly records: readonly DeploymentRecord[] } | undefined;

  /** Finished ones do not change, and there are hundreds of them. */
  async function records(): Promise<readonly DeploymentRecord[]> {
    const keys = (await store.keys('deployments')).join(' ');
    const isSame = read?.keys === keys && read.records.every(({ outcome }) => outcome !== undefined);
    read = isSame && read !== undefined ? read : { keys, records: await journal.list() };
    return read.records;
  }

  /** Undefined: nobody can say any more how it was configured. */
  async function asConfigured(
    application: ApplicationSettings,
    release: Release,
  ): Promise<ApplicationSettings | undefined> {
    const kept = await releases.configuration(application.name, release.id);
    if (kept === undefined) {
      return configHashOf(application, hashKey) === release.configHash ? application : undefined;
    }
    const then = restoreConfiguration(application, kept, hashKey);
    // Values of secrets are not kept: with another one nothing can be compared.
    return then.changed.length + then.missing.length === 0 ? then.application : undefined;
  }

  return {
    async on(name, platform) {
      const application = settings.applications[name];
      const live = (await releases.live(name))[platform];
      const release = live === undefined ? undefined : await releases.get(name, live);
      if (application === undefined || release === undefined) return { state: 'nothing' };
      const ours = (await records()).filter((record) => record.application === name);
      if (ours.some((record) => record.outcome === undefined)) return { state: 'changing' };
      const then = await asConfigured(application, release);
      const want = then && targetSpecOf(then, platform, release, deps.scaledTo(name, platform));
      // The digest has what makes no other release: counts, hosts.
      const written = recordOf(ours, platform, release)?.configuration;
      const isSame = then && (written === undefined || written === configurationDigest(then));
      return want && isSame ? { state: 'known', want } : { state: 'outdated', release };
    },
  };
}

/** Who brought it there last. */
function recordOf(
  records: readonly DeploymentRecord[],
  platform: PlatformName,
  release: Release,
): DeploymentRecord | undefined {
  return records.findLast(
    (record) => record.release.id === release.id && record.targets[platform]?.phase === 'live',
  );
}
