import type { OperatorAct } from '../core/acts.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { Engine } from '../engine/engine.ts';

/** What everything stands on that writes to platforms by itself: failovers, drift, processes that follow traffic. */
export interface AutomationDeps {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly engine: Engine;
  /** What people have ordered. */
  readonly acts: () => readonly OperatorAct[];
}
