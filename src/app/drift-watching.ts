import { PROVIDERS } from '../../providers/registry.ts';
import { stoppedBy } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { deployedIn } from '../orchestrator/as-deployed.ts';
import { bundleStore } from '../orchestrator/bundle-store.ts';
import { createDriftWatch, type DriftWatch } from '../orchestrator/drift-watch.ts';
import type { IntentExecutor } from '../orchestrator/intents.ts';
import { automaticWrites } from './automatic-writes.ts';
import type { AutomationDeps } from './automation-deps.ts';
import { installationKey } from './installation-key.ts';
import { deploymentLimits } from './intent-execution.ts';
import { leaseIdentity, uniqueId } from './orchestration.ts';

export interface DriftWatchingDeps extends AutomationDeps {
  readonly executor: IntentExecutor;
}

/** Drift watched by this controller, which knows what it is about to change itself and what people have forbidden. */
export async function watchDrift(deps: DriftWatchingDeps): Promise<DriftWatch> {
  const { settings, store, clock, events, engine, executor } = deps;
  const deploying = new Map<string, ApplicationName>();
  // A deployment that is resumed has an outcome in the journal already.
  events.onEvent((event) => {
    if (event.type === 'deployment.started') deploying.set(event.deployment, event.application);
    if (event.type === 'deployment.finished') deploying.delete(event.deployment);
  });
  const switching = new Set<string>();
  events.onEvent((event) => {
    if (event.type === 'power.ordered') switching.add(`${event.application} ${event.platform}`);
    if (event.type === 'power.finished' || event.type === 'power.failed')
      switching.delete(`${event.application} ${event.platform}`);
  });
  const { scaledTo } = deploymentLimits(engine, () => executor, deps.acts);

  function inFlux(application: ApplicationName, platform: PlatformName): string | undefined {
    if ([...deploying.values()].includes(application)) return 'it is being deployed';
    if (switching.has(`${application} ${platform}`)) return 'it is being stopped, started or restarted';
    // What does not run cannot be compared with what was deployed to run.
    if (stoppedBy(deps.acts(), application, platform) !== undefined) return 'it is stopped';
    if (executor.scaling(application, platform) !== undefined) return 'it is being scaled';
    const wanted = engine.decision(application)?.intents ?? [];
    const isWanted = wanted.some((one) => one.kind === 'scale' && one.platform === platform);
    return isWanted ? 'it is to be scaled' : undefined;
  }

  const forbidden = automaticWrites(deps);

  return createDriftWatch({
    ...{ settings, store, clock, events, inFlux, forbidden },
    logger: deps.logger,
    providers: deps.providers,
    bundles: await bundleStore(store, uniqueId),
    deploysTo: (name) => PROVIDERS[settings.platforms[name]?.provider ?? '']?.deploys ?? false,
    deployed: deployedIn({
      ...{ settings, store, scaledTo },
      hashKey: await installationKey(store, 'release-hmac'),
    }),
    identity: leaseIdentity('sluice serve'),
  });
}
