import type { OperatorAct } from '../core/acts.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, StateStore } from '../core/ports.ts';

const COLLECTION = 'acts';

/** That an application does not run on a platform is an order of a person like a fence: kept, obeyed, lifted. */
export interface StopOrders {
  order(wish: StopOrder & { readonly emptying: boolean }): Promise<void>;
  /** Lifting nothing succeeds. */
  lift(application: ApplicationName, platform: PlatformName): Promise<void>;
}

interface StopOrder {
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  readonly who: string;
  readonly reason: string;
}

/** In the state, for whoever decides to find there: where nobody decides. */
export function stopOrdersIn(store: StateStore, clock: Clock): StopOrders {
  return {
    async order({ application, platform, who, reason, emptying }) {
      await store.put(COLLECTION, stopId(application, platform), {
        ...stopAct({ application, platform, who, reason }, emptying, clock.now()),
      });
    },
    lift: (application, platform) => store.delete(COLLECTION, stopId(application, platform)),
  };
}

/** One for each subject: a later one replaces it. */
export function stopAct(order: StopOrder, emptying: boolean, now: number): OperatorAct {
  const { application, platform } = order;
  return {
    id: stopId(application, platform),
    kind: 'stop',
    ...order,
    since: now,
    until: undefined,
    ...(emptying ? { emptying } : {}),
  };
}

function stopId(application: ApplicationName, platform: PlatformName): string {
  return `stop ${application} ${platform}`;
}
