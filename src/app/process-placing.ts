import { concerns, isInForce, type OperatorAct } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor } from '../health/monitor.ts';
import { createPlacer, type Placer } from '../orchestrator/placer.ts';
import { leaseIdentity } from './orchestration.ts';

/** Processes that follow traffic, placed by this controller. A hold stops nothing here: they go where traffic went. */
export function placeProcesses(deps: {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly engine: Engine;
  readonly monitor: Monitor;
  readonly acts: () => readonly OperatorAct[];
}): Placer {
  const { engine, monitor, clock, acts, ...rest } = deps;
  return createPlacer({
    ...rest,
    clock,
    identity: leaseIdentity('sluice serve'),
    active(application: ApplicationName) {
      const decision = engine.decision(application);
      // What is served on from memory says nothing of who can work now.
      if (decision === undefined || decision.mode === 'outage' || decision.mode === 'last-known')
        return undefined;
      return new Set(Object.keys(decision.shares).filter((name) => (decision.shares[name] ?? 0) > 0));
    },
    forbidden(application, platform) {
      const fence = acts().find(
        (one) => one.kind === 'fence' && isInForce(one, clock.now()) && concerns(one, application, platform),
      );
      return fence === undefined ? undefined : `${fence.who} ordered fence`;
    },
    observe: (application, platform) => monitor.observeNow(application, platform),
  });
}
