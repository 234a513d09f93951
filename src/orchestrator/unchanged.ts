import type { Observation, TargetSpec } from '../core/provider.ts';
import { leavingTheirs } from './drift-fields.ts';
import { changesTo } from './plan.ts';
import type { TargetRun } from './target-run.ts';
import { runsNothing, servingOf, verify } from './target-steps.ts';

/**
 * The platform has all of it already, down to the last field: then nothing is written there. Only at the very
 * beginning: in the middle the platform may look finished while an operation of ours still goes on.
 */
export async function isUnchanged(run: TargetRun): Promise<boolean> {
  const { want, drift } = run.job;
  if (run.target.phase !== 'queued' || run.target.previous !== undefined) return false;
  const seen = await run.provider.observe(run.providerContext, want.application).catch(() => undefined);
  if (seen === undefined || !isThere(seen, want) || seen.trial !== undefined) return false;
  const running = seen.instances.filter(
    ({ state, release }) => state === 'running' && (release === undefined || release === want.release.id),
  );
  if (running.length < want.process.instances) return false;
  const changes = await changesTo(
    run.provider,
    run.providerContext,
    leavingTheirs(want, seen, drift),
    seen,
  ).catch(() => undefined);
  if (changes?.every(({ action }) => action === 'none' || action === 'foreign') !== true) return false;
  run.report('verifying', 'it is there already, nothing to change');
  if (!runsNothing(want)) await verify(run);
  return true;
}

function isThere(seen: Observation, want: TargetSpec): boolean {
  const there = runsNothing(want) ? (seen.serving ?? seen.standing) : servingOf(seen);
  return there === want.release.id && (!runsNothing(want) || seen.desired === 0);
}
