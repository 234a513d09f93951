import type { RunningInstance } from '../../core/runner.ts';

type StartOutcome =
  | { readonly outcome: 'starting'; readonly ready: number }
  | { readonly outcome: 'ready' }
  | {
      readonly outcome: 'failed';
      readonly reason: string;
      /** Whose log tells most. */
      readonly culprit: string | undefined;
    };

/**
 * Did a release come up? All instances ready: yes. One in a crash loop, or time over: no, and the whole release is
 * taken back. An instance that crashed and is tried again is still starting: its database may be a second late.
 */
export function startOutcome(
  instances: readonly Pick<RunningInstance, 'id' | 'state' | 'reason' | 'restarts'>[],
  wanted: number,
  elapsedMs: number,
  startTimeoutMs: number,
): StartOutcome {
  const ready = instances.filter((one) => one.state === 'running').length;
  if (ready >= wanted) return { outcome: 'ready' };
  const looping = instances.find((one) => one.state === 'crash-loop');
  if (looping !== undefined) {
    return {
      outcome: 'failed',
      reason: `${looping.id} crashes again and again: ${looping.reason ?? 'it ends at once'}`,
      culprit: looping.id,
    };
  }
  if (elapsedMs < startTimeoutMs) return { outcome: 'starting', ready };
  const late = instances.find((one) => one.state !== 'running');
  const why = late?.reason === undefined ? '' : `; ${late.id}: ${late.reason}`;
  return {
    outcome: 'failed',
    reason: `${ready} of ${wanted} instances ready after ${startTimeoutMs / 1_000}s${why}`,
    culprit: late?.id,
  };
}
