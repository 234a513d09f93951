import type { DeploymentTarget } from '../core/deployment.ts';
import type { DeploymentContext } from './context.ts';
import type { ReleaseTasks } from './release-tasks.ts';
import { type TargetJob, targetRun } from './target-run.ts';
import { checkNotFrozen, cutOver, notePrevious, putInPlace, retireOthers, stage } from './target-steps.ts';
import { isUnchanged } from './unchanged.ts';

/**
 * One release onto one platform, whatever the others do: stage → tasks, once for all → apply → verify → cut over → retire the old. Each
 * step is idempotent and journalled, so this may be called again at any point and goes on. Never throws: the outcome
 * is in the journal.
 */
export async function rollOut(
  context: DeploymentContext,
  job: TargetJob,
  tasks?: ReleaseTasks,
): Promise<DeploymentTarget> {
  const run = targetRun(context, job);
  try {
    checkNotFrozen(run);
    if (!(await isUnchanged(run))) {
      await notePrevious(run);
      const artifact = await stage(run);
      await tasks?.staged(run);
      await putInPlace(run, artifact);
    } else tasks?.out(job.want.platform);
    await cutOver(run);
    await retireOthers(run);
    return await run.end('live', {});
  } catch (caught) {
    return await run.endWith(caught);
  }
}
