import type { OperatorAct } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import type { PlatformSignal } from '../core/signals.ts';
import type { PromotionStatus, ScalingStatus } from '../core/status.ts';
import type { IntentRecord, IntentRecords } from './intent-records.ts';
import type { LeaseIdentity } from './lease.ts';
import { createPromoter } from './promoter.ts';
import type { RunCommand } from './run-command.ts';
import { createScaler } from './scaler.ts';
import { configuredOn, sizeOn } from './sizes.ts';

export interface IntentDeps {
  readonly settings: Pick<Settings, 'applications' | 'file'>;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly engine: ToldOfIntents;
  /** Reads a platform now, and lets the engine know of it. */
  readonly observe: (application: ApplicationName, platform: PlatformName) => Promise<PlatformSignal>;
  /** Orders of people that are in force. */
  readonly acts: () => readonly OperatorAct[];
  readonly identity: LeaseIdentity;
  readonly runCommand: RunCommand;
  /** What a command of the user's sees beside what we tell it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Shared with whoever else writes them in this process. */
  readonly records: IntentRecords;
}

/** Who decides, and must know what became of it. */
export interface ToldOfIntents {
  promoted(application: ApplicationName, epoch: number): void;
  capacityTook(application: ApplicationName, platform: PlatformName, ms: number): void;
  recall(
    application: ApplicationName,
    recalled: {
      readonly writer?: {
        readonly platform: PlatformName;
        readonly epoch: number;
        readonly ready: boolean;
        readonly since: number;
      };
      readonly promotedEpoch?: number;
      readonly scaledFrom?: Readonly<Record<PlatformName, number>>;
      readonly timesToCapacity?: Readonly<Record<PlatformName, number>>;
    },
  ): void;
}

/** Does what decisions want done beside moving traffic, once each, under leases, and says how far it is. */
export interface IntentExecutor {
  /** Tells the engine what was done for these before; to be awaited before they are decided for the first time. */
  restore(applications: readonly ApplicationName[]): Promise<void>;
  /** All that is wanted of an application now. What is under way goes on; what was not begun is dropped. */
  want(application: ApplicationName, intents: readonly Intent[]): void;
  scaling(application: ApplicationName, platform: PlatformName): ScalingStatus | undefined;
  promotion(application: ApplicationName): PromotionStatus | undefined;
  /** Instances that a failover made of what was deployed: never fewer than there were. */
  scaledTo(application: ApplicationName, platform: PlatformName): number | undefined;
  /** What is wanted when no failover says otherwise: by a person, a schedule or the load, else as configured. */
  sizeOf(application: ApplicationName, platform: PlatformName): number;
  /** Begins nothing more. Resolves when no command runs any more; what a platform was told goes on by itself. */
  close(): Promise<void>;
}

export function createIntentExecutor(deps: IntentDeps): IntentExecutor {
  const { records } = deps;
  const scaler = createScaler(deps, records);
  const promoter = createPromoter(deps, records);
  return {
    async restore(applications) {
      for (const name of applications) {
        deps.engine.recall(name, recalledFrom(await records.read(name)));
      }
    },
    want(application, intents) {
      scaler.want(
        application,
        intents.filter((one) => one.kind === 'scale'),
      );
      promoter.want(
        application,
        intents.find((one) => one.kind === 'promote-writer'),
      );
    },
    scaling: scaler.status,
    promotion: promoter.status,
    scaledTo: (application, platform) => records.known(application).scaled[platform]?.to,
    sizeOf(name, platform) {
      const application = deps.settings.applications[name];
      if (application === undefined) return 1;
      const said = sizeOn(records.known(name), application, platform, deps.clock.now());
      return said?.instances ?? configuredOn(application, platform);
    },
    async close() {
      scaler.close();
      await promoter.close();
    },
  };
}

function recalledFrom({
  promotion,
  scaled,
  timesToCapacity,
}: IntentRecord): Parameters<ToldOfIntents['recall']>[1] {
  const numbers = <T>(of: Readonly<Record<PlatformName, T>>, take: (one: T) => number) =>
    Object.fromEntries(Object.entries(of).map(([platform, one]) => [platform, take(one)]));
  return {
    scaledFrom: numbers(scaled, ({ from }) => from),
    timesToCapacity: numbers(timesToCapacity, ({ ms }) => ms),
    ...(promotion === undefined
      ? {}
      : {
          writer: {
            platform: promotion.platform,
            epoch: promotion.epoch,
            ready: promotion.state === 'done',
            since: promotion.at,
          },
        }),
    ...(promotion?.state === 'done' ? { promotedEpoch: promotion.epoch } : {}),
  };
}
