import type { DeploymentOutcome, DeploymentRecord, DeploymentTarget } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Bundle } from '../core/provider.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { DeploymentContext } from './context.ts';
import { createLending, ENDED } from './lending.ts';
import { releaseTasks } from './release-tasks.ts';
import { rollOut } from './roll-out.ts';
import type { TargetJob } from './target-run.ts';
import { targetSpecOf } from './target-spec.ts';
import { goesTogether, moveTogether } from './together.ts';

/** Carries a journalled deployment out: all platforms in step, or each at its own pace. */
export async function runDeployment(
  context: DeploymentContext,
  record: DeploymentRecord,
  application: ApplicationSettings,
  bundle: Bundle | undefined,
): Promise<DeploymentRecord> {
  const { clock, events, journal } = context;
  const { id, release, kind, deploy } = record;
  const platforms = Object.keys(record.targets);
  const startedAt = clock.now();

  const lending = createLending(platforms);

  async function jobOf(platform: PlatformName): Promise<TargetJob> {
    const from = ((await journal.get(id)) ?? record).targets[platform]!;
    const want = targetSpecOf(application, platform, release, context.scaledTo?.(application.name, platform));
    if (!want) throw new SluiceError('BUG', `${application.name} has no target on ${platform}`);
    const { health, drift } = application;
    const { buildOn } = application.targets.find((one) => one.platform === platform) ?? {};
    return { deployment: id, want, health, bundle, drift, from, buildOn, lending };
  }
  const tasks = releaseTasks(context, record, application);
  async function rollOutTo(platform: PlatformName): Promise<DeploymentTarget> {
    try {
      const job = await jobOf(platform);
      return job.from.phase === 'live' ? job.from : await rollOut(context, job, tasks);
    } finally {
      tasks?.out(platform);
      lending.tell(platform, { why: ENDED });
    }
  }

  // Until every platform has the new release, both may serve.
  await allowAlso(context, record);
  events.append({
    type: 'deployment.started',
    deployment: id,
    application: application.name,
    release: release.id,
    number: release.number,
    platforms,
    ...(deploy === undefined ? {} : { strategy: deploy.strategy }),
    ...(kind === undefined ? {} : { kind }),
  });
  const outcome =
    deploy !== undefined && goesTogether(record)
      ? await moveTogether(context, record, deploy, { jobOf, health: application.health, tasks })
      : outcomeOf(await Promise.all(platforms.map(rollOutTo)));
  // A platform that failed goes on with what it had; that release may serve there still.
  await allowAlso(context, record, outcome);
  const finished = await journal.finish(id, outcome, clock.now());
  events.append({
    type: 'deployment.finished',
    deployment: id,
    application: application.name,
    release: release.id,
    outcome,
    elapsedMs: clock.now() - startedAt,
    seconds: secondsOf(finished, startedAt),
  });
  return finished;
}

/** How long each platform took in this run. */
function secondsOf({ targets }: DeploymentRecord, startedAt: number): Record<PlatformName, number> {
  const seconds: Record<PlatformName, number> = {};
  for (const [platform, { endedAt }] of Object.entries(targets))
    if (endedAt !== undefined && endedAt >= startedAt) seconds[platform] = (endedAt - startedAt) / 1000;
  return seconds;
}

/** This release, and whatever is live somewhere right now. */
async function allowAlso(
  context: DeploymentContext,
  record: DeploymentRecord,
  outcome?: DeploymentOutcome,
): Promise<void> {
  const live = Object.values(await context.releases.live(record.application));
  const own = outcome === 'rolledBack' ? [] : [record.release.id];
  context.traffic.allowReleases(record.application, [...new Set([...own, ...live])]);
}

function outcomeOf(targets: readonly DeploymentTarget[]): DeploymentOutcome {
  if (targets.some((target) => target.phase === 'stopped')) return 'stopped';
  const live = targets.filter((target) => target.phase === 'live').length;
  if (live === targets.length) return 'done';
  return live === 0 ? 'failed' : 'partly';
}
