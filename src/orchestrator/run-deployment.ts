import type { DeploymentRecord, DeploymentTarget } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Bundle } from '../core/provider.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { DeploymentContext } from './context.ts';
import { rollOut } from './roll-out.ts';
import { targetSpecOf } from './target-spec.ts';

/** Rolls a journalled deployment out to all its platforms at once; each platform's failure is its own. */
export async function runDeployment(
  context: DeploymentContext,
  record: DeploymentRecord,
  application: ApplicationSettings,
  bundle: Bundle,
): Promise<DeploymentRecord> {
  const { clock, events, journal } = context;
  const { id, release } = record;
  const platforms = Object.keys(record.targets);
  const startedAt = clock.now();
  const elapsedMs = (): number => clock.now() - startedAt;
  const seconds: Record<PlatformName, number> = {};

  async function rollOutTo(platform: PlatformName): Promise<DeploymentTarget> {
    const from = record.targets[platform]!;
    if (from.phase === 'live') return from;
    const want = targetSpecOf(application, platform, release, context.scaledTo?.(application.name, platform));
    if (!want) throw new SluiceError('BUG', `${application.name} has no target on ${platform}`);
    const { health, drift } = application;
    const job = { deployment: id, want, health, bundle, drift, from };
    const target = await rollOut(context, job);
    seconds[platform] = elapsedMs() / 1000;
    return target;
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
  });
  const outcome = outcomeOf(await Promise.all(platforms.map(rollOutTo)));
  // A platform that failed goes on with what it had; that release may serve there still.
  await allowAlso(context, record);
  const finished = await journal.finish(id, outcome, clock.now());
  events.append({
    type: 'deployment.finished',
    deployment: id,
    application: application.name,
    release: release.id,
    outcome,
    elapsedMs: elapsedMs(),
    seconds,
  });
  return finished;
}

/** This release, and whatever is live somewhere right now. */
async function allowAlso(context: DeploymentContext, record: DeploymentRecord): Promise<void> {
  const live = Object.values(await context.releases.live(record.application));
  context.traffic.allowReleases(record.application, [...new Set([record.release.id, ...live])]);
}

function outcomeOf(targets: readonly DeploymentTarget[]): NonNullable<DeploymentRecord['outcome']> {
  if (targets.some((target) => target.phase === 'stopped')) return 'stopped';
  const live = targets.filter((target) => target.phase === 'live').length;
  if (live === targets.length) return 'done';
  return live === 0 ? 'failed' : 'partly';
}
