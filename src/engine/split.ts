import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { EngineTarget } from './targets.ts';

/** How much of every platform's share goes to the trials of one release. */
export interface Split {
  readonly release: ReleaseId;
  /** Above 0, at most 1. */
  readonly part: number;
}

/** The same, with the trials that may take it; a platform that is not in it keeps all of its share for its own. */
export interface OfferedSplit extends Split {
  readonly trials: ReadonlyMap<PlatformName, readonly EngineTarget[]>;
}

/** Undefined: nothing goes to a trial. What is no number splits nothing. */
export function splitOf(release: ReleaseId, part: number): Split | undefined {
  return part > 0 ? { release, part: Math.min(1, part) } : undefined;
}
