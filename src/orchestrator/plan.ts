import type { PlatformPlan } from '../core/deployment.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type {
  Observation,
  PlanChange,
  PlatformProvider,
  ProviderContext,
  TargetSpec,
} from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { OrchestratorDeps } from './deps.ts';
import { leavingTheirs } from './drift-fields.ts';
import { processChanges } from './process-plan.ts';
import { quietContext } from './scope.ts';
import { targetSpecOf } from './target-spec.ts';

/** Web by the platform's own knowledge, the processes beside it by ours. */
export async function changesTo(
  provider: PlatformProvider,
  context: ProviderContext,
  want: TargetSpec,
  seen: Observation,
): Promise<readonly PlanChange[]> {
  return [...(await provider.plan(context, want, seen)), ...processChanges(want, seen)];
}

/** What a deployment would change, each platform by itself: one that cannot be read does not hide the others. */
export function planOn(
  deps: Pick<OrchestratorDeps, 'providers' | 'clock' | 'scaledTo'>,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
  release: Release,
): Promise<readonly PlatformPlan[]> {
  async function planOne(platform: PlatformName): Promise<PlatformPlan> {
    try {
      const provider = deps.providers.get(platform);
      const want = targetSpecOf(application, platform, release, deps.scaledTo?.(application.name, platform));
      if (!provider || !want) throw new SluiceError('BUG', `no provider for ${platform}`);
      const context = quietContext(() => deps.clock.now());
      const seen = await provider.observe(context, application.name);
      const kept = leavingTheirs(want, seen, application.drift);
      const [changes, checks] = await Promise.all([
        changesTo(provider, context, kept, seen),
        provider.check?.(context, kept, seen) ?? [],
      ]);
      return { platform, changes, checks };
    } catch (caught) {
      return { platform, changes: [], checks: [], error: toWire(SluiceError.from(caught)) };
    }
  }
  return Promise.all(platforms.map(planOne));
}
