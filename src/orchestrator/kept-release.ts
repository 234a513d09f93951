import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, ReleaseId } from '../core/ids.ts';
import type { Bundle } from '../core/provider.ts';
import { type Release, releaseLabel } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { BundleStore } from './bundle-store.ts';
import { restoreConfiguration } from './kept-configuration.ts';
import { configHashOf } from './release-identity.ts';
import type { Releases } from './releases.ts';

/** A release that was deployed before, with all it takes to deploy it again. */
export interface KeptRelease {
  readonly release: Release;
  /** As it was configured then. */
  readonly application: ApplicationSettings;
  /** Undefined: it is an image. */
  readonly bundle: Bundle | undefined;
  /** What is not as it was then, for the person who goes back. */
  readonly notes: readonly string[];
}

export interface KeptReleaseDeps {
  readonly present: (application: ApplicationName) => ApplicationSettings;
  readonly releases: Releases;
  readonly bundles: BundleStore;
  readonly hashKey: string;
}

/** Finds it, or says what is missing and what to do about it. */
export async function keptRelease(
  { present, releases, bundles, hashKey }: KeptReleaseDeps,
  application: ApplicationName,
  id: ReleaseId,
): Promise<KeptRelease> {
  const release = await releases.get(application, id);
  if (release === undefined) {
    throw notKept(id, 'Sluice did not deploy it: there is nothing to deploy it from');
  }
  const label = releaseLabel(release);
  const bundle = release.image === undefined ? await bundles.find(release.sourceDigest) : undefined;
  if (release.image === undefined && bundle === undefined)
    throw notKept(label, 'its files are not kept any more');
  const now = present(application);
  const kept = await releases.configuration(application, id);
  if (kept === undefined) {
    // Recorded before configurations were kept: the present one may still be the same.
    if (configHashOf(now, hashKey) !== release.configHash)
      throw notKept(label, 'its configuration is not kept, and the present one is another');
    return { release, application: now, bundle, notes: [] };
  }
  const { application: then, changed, missing, otherServices } = restoreConfiguration(now, kept, hashKey);
  if (missing.length > 0) {
    throw new SluiceError('USAGE', `${label} needs ${missing.join(', ')}`, {
      where: `applications.${application}.env`,
      why: 'secrets are not kept with a release, and the present configuration no longer has them',
      remedy: 'put them back into `env`, and try again',
    });
  }
  const notes = changed.map((name) => `${name} is the present one, not the one ${label} had`);
  if (otherServices) notes.push(`the services are the present ones, not those ${label} had`);
  return { release, application: then, bundle, notes };
}

function notKept(label: string, why: string): SluiceError {
  return new SluiceError('USAGE', `${label} cannot be brought back`, {
    why,
    remedy: 'name another one (`sluice releases`), or deploy its source again',
  });
}
