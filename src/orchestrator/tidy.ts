import type { DeploymentRecord } from '../core/deployment.ts';
import type { ApplicationName, ReleaseId } from '../core/ids.ts';
import type { Release } from '../core/release.ts';
import type { BundleStore } from './bundle-store.ts';
import type { Journal } from './journal.ts';
import type { Releases } from './releases.ts';

/** Bundles of so many releases of an application are kept, newest first, besides those that are needed. */
const KEPT_RELEASES = 10;
const KEPT_DEPLOYMENTS = 200;

/** Bundles and finished deployments would otherwise fill the disk, one deployment after the other. */
export async function tidy(
  application: ApplicationName,
  parts: { readonly bundles: BundleStore; readonly releases: Releases; readonly journal: Journal },
): Promise<void> {
  const { bundles, releases, journal } = parts;
  const records = await journal.list();
  const all = await releases.list(application);
  const live = Object.values(await releases.live(application));
  const needed = new Set(neededDigests(all, live, records));
  for (const release of all)
    if (!needed.has(release.sourceDigest)) await bundles.remove(release.sourceDigest);
  for (const record of outdatedRecords(records, application)) await journal.forget(record.id);
}

/** What a person may go back to or resume: the newest releases, the live ones, those of unfinished deployments. */
export function neededDigests(
  releases: readonly Release[],
  live: readonly ReleaseId[],
  records: readonly DeploymentRecord[],
): readonly string[] {
  const newest = [...releases].sort((a, b) => b.number - a.number).slice(0, KEPT_RELEASES);
  const serving = releases.filter((release) => live.includes(release.id));
  const resumable = records.filter((record) => record.outcome !== 'done').map((record) => record.release);
  // Only the newest unfinished one of a release is worth resuming, and it has the same bundle as the others.
  return [...newest, ...serving, ...resumable.slice(-KEPT_RELEASES)].map((release) => release.sourceDigest);
}

export function outdatedRecords(
  records: readonly DeploymentRecord[],
  application: ApplicationName,
): readonly DeploymentRecord[] {
  const finished = records.filter(
    (record) => record.application === application && record.outcome !== undefined,
  );
  return finished.slice(0, Math.max(0, finished.length - KEPT_DEPLOYMENTS));
}
