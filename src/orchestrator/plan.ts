import type { PlatformPlan } from '../core/deployment.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type {
  Observation,
  PlanChange,
  PlanCheck,
  PlatformProvider,
  ProviderContext,
  TargetSpec,
} from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import { leftServices } from '../core/services.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { OrchestratorDeps } from './deps.ts';
import { leavingTheirs } from './drift-fields.ts';
import { processChanges } from './process-plan.ts';
import { quietContext } from './scope.ts';
import { compareServices, comparisonChecks } from './service-comparison.ts';
import { targetSpecOf } from './target-spec.ts';

const LONGEST_COMPARISON_MS = 10_000;

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
  deps: Pick<OrchestratorDeps, 'providers' | 'clock' | 'scaledTo' | 'hashKey' | 'deploysTo'>,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
  release: Release,
): Promise<readonly PlatformPlan[]> {
  const compared = compareWithAll(deps, application);

  async function planOne(platform: PlatformName): Promise<PlatformPlan> {
    try {
      const provider = deps.providers.get(platform);
      const want = targetSpecOf(application, platform, release, deps.scaledTo?.(application.name, platform));
      if (!provider || !want) throw new SluiceError('BUG', `no provider for ${platform}`);
      const context = quietContext(() => deps.clock.now());
      const seen = await provider.observe(context, application.name);
      const kept = leavingTheirs(want, seen, application.drift);
      const [changes, checks, faults, left] = await Promise.all([
        changesTo(provider, context, kept, seen),
        provider.check?.(context, kept, seen) ?? [],
        compared,
        leftOn(provider, context, want),
      ]);
      const services = comparisonChecks(application.name, faults[platform]);
      return { platform, changes, checks: [...checks, ...services, ...left] };
    } catch (caught) {
      return { platform, changes: [], checks: [], error: toWire(SluiceError.from(caught)) };
    }
  }
  return Promise.all(platforms.map(planOne));
}

/** What was made for services that the configuration no longer has: it holds data, and only a person removes it. */
async function leftOn(
  { services: power }: PlatformProvider,
  context: ProviderContext,
  { application, services }: TargetSpec,
): Promise<readonly PlanCheck[]> {
  const made = (await power?.made(context, application).catch(() => [])) ?? [];
  const found = 'is used no more and stays; sluice destroy --services removes it';
  return leftServices(made, services).map(({ what }) => ({ what, found, notice: true as const }));
}

/** With those that are not planned for, too. Whoever does not answer in time holds up no plan. */
async function compareWithAll(
  deps: Pick<OrchestratorDeps, 'providers' | 'clock' | 'hashKey' | 'deploysTo'>,
  application: ApplicationSettings,
): ReturnType<typeof compareServices> {
  const { clock } = deps;
  const stop = new AbortController();
  const expire = clock.after(LONGEST_COMPARISON_MS, () => stop.abort(new Error('too late')));
  const all = application.targets.map(({ platform }) => platform).filter(deps.deploysTo);
  try {
    const context = { ...quietContext(() => clock.now()), signal: stop.signal };
    return await compareServices(deps, application, all, context);
  } finally {
    expire();
  }
}
