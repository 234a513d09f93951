import { concerns, isInForce } from '../core/acts.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Monitor } from '../health/monitor.ts';
import { createPlacer, type Placer } from '../orchestrator/placer.ts';
import type { AutomationDeps } from './automation-deps.ts';
import { leaseIdentity } from './orchestration.ts';

/** Processes that follow traffic, placed by this controller. A hold stops nothing here: they go where traffic went. */
export function placeProcesses(deps: AutomationDeps & { readonly monitor: Monitor }): Placer {
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
      const act = acts().find(
        (one) =>
          (one.kind === 'fence' || one.kind === 'stop') &&
          isInForce(one, clock.now()) &&
          concerns(one, application, platform),
      );
      return act === undefined ? undefined : `${act.who} ordered ${act.kind}`;
    },
    observe: (application, platform) => monitor.observeNow(application, platform),
  });
}
