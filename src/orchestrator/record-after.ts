import type { DeploymentRecord, DeploymentTarget } from '../core/deployment.ts';
import type { PlatformName } from '../core/ids.ts';
import { goesTogether } from './together.ts';

/** What they began is over, one way or the other. */
const ENDED_WELL: ReadonlySet<DeploymentRecord['outcome']> = new Set(['done', 'rolledBack']);

/**
 * The record a deployment begins with. What the one before it, if of the same release and not ended well, has begun is
 * known to it: what served there before, and is put back should this one fail.
 */
export function recordAfter(
  last: DeploymentRecord | undefined,
  base: Omit<DeploymentRecord, 'application' | 'targets'>,
  platforms: readonly PlatformName[],
): DeploymentRecord {
  const { release, startedAt } = base;
  const begun = last?.release.id === release.id && !ENDED_WELL.has(last.outcome) ? last.targets : {};
  const targets: Record<PlatformName, DeploymentTarget> = {};
  for (const platform of platforms) {
    const before = begun[platform];
    // Where each goes for itself, one that is done is done; where all go together, it may have to go back with them.
    const isOver = before === undefined || (before.phase === 'live' && !goesTogether(base));
    targets[platform] = isOver ? { phase: 'queued', startedAt } : freshStart(before, startedAt);
  }
  return { application: release.application, ...base, targets };
}

/** A failed target is tried from the start; what is on the platform already is found again by its stamps. */
export function freshStart(target: DeploymentTarget, now: number): DeploymentTarget {
  const { previous, trial, inPlace } = target;
  return {
    phase: 'queued',
    startedAt: now,
    ...(previous === undefined ? {} : { previous }),
    ...(trial === undefined ? {} : { trial }),
    ...(inPlace === undefined ? {} : { inPlace }),
  };
}
