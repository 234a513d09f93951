import type { DeploymentRecord } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName, ReleaseId } from '../core/ids.ts';
import { type Release, releaseLabel } from '../core/release.ts';

export interface RollbackSight {
  /** Oldest first. */
  readonly releases: readonly Release[];
  readonly live: Readonly<Record<PlatformName, ReleaseId>>;
  /** Deployments of the application, oldest first. */
  readonly deployments: readonly DeploymentRecord[];
}

/**
 * Which release a rollback brings back: the one named (`r41`, or its id), or the newest before the last one deployed
 * that has served, so that a deployment that broke off half-way is undone rather than the release it should replace.
 */
export function rollbackTarget(sight: RollbackSight, wanted: string | undefined): Release {
  const { releases } = sight;
  if (wanted !== undefined) {
    const found = releases.find((one) => one.id === wanted || releaseLabel(one) === wanted);
    if (found) return found;
    throw new SluiceError('USAGE', `there is no release ${wanted}`, {
      remedy: `name one of: ${releases.slice(-10).map(releaseLabel).join(', ') || 'none was deployed yet'}`,
    });
  }
  const from = lastDeployed(sight);
  const served = haveServed(sight);
  const before = releases.findLast((one) => served.has(one.id) && one.number < (from?.number ?? 0));
  if (before) return before;
  throw new SluiceError('USAGE', 'there is no release to go back to', {
    why: from === undefined ? 'nothing was deployed yet' : `none served before ${releaseLabel(from)}`,
    remedy: 'name one: sluice rollback rN; `sluice releases` lists them',
  });
}

/** Releases before a contracting migration do not work with what it left of the data. */
export function checkMigrations(sight: RollbackSight, to: Release): void {
  const from = lastDeployed(sight);
  const between = sight.releases.filter(
    ({ number, migration }) =>
      migration === 'contract' && number > to.number && number <= (from?.number ?? 0),
  );
  if (between.length === 0) return;
  const labels = between.map(releaseLabel).join(', ');
  throw new SluiceError('SAFETY_VETO', `${releaseLabel(to)} cannot work with the data any more`, {
    why: `the migration of ${labels} is declared \`contract\``,
    remedy: 'deploy a mended release instead; --force goes back all the same',
  });
}

function lastDeployed({ releases, live, deployments }: RollbackSight): Release | undefined {
  const last = deployments.findLast(({ outcome }) => outcome !== 'rolledBack');
  const newestLive = releases.findLast(({ id }) => Object.values(live).includes(id));
  if (last === undefined) return newestLive;
  return releases.find(({ id }) => id === last.release.id) ?? newestLive;
}

function haveServed({ live, deployments }: RollbackSight): ReadonlySet<ReleaseId> {
  const served = new Set(Object.values(live));
  for (const { release, targets } of deployments)
    if (Object.values(targets).some(({ phase }) => phase === 'live')) served.add(release.id);
  return served;
}
