import { PROVIDERS } from '../../providers/registry.ts';
import type { Operations } from '../core/operations.ts';
import type { Clock, EventLog, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { IntentRecords } from '../orchestrator/intent-records.ts';
import { createOperations } from '../orchestrator/operations.ts';
import type { ResizeDeps } from '../orchestrator/resize.ts';
import type { SwitchingDeps } from '../orchestrator/switching.ts';
import { leaseIdentity } from './orchestration.ts';

export interface OperatingDeps extends Pick<SwitchingDeps, 'traffic' | 'stops' | 'serving'> {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<string, PlatformProvider>;
  readonly records: IntentRecords;
  /** For whoever waits for its lease. */
  readonly what: string;
  readonly capacityTook?: ResizeDeps['capacityTook'];
}

/** What people do to deployed applications, in this process. */
export function openOperations({ what, ...deps }: OperatingDeps): Operations {
  return createOperations({
    ...deps,
    identity: leaseIdentity(what),
    deploysTo: (name) => PROVIDERS[deps.settings.platforms[name]?.provider ?? '']?.deploys ?? false,
  });
}
