import type { WireError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { StateStore } from '../core/ports.ts';
import type { Size } from './sizes.ts';

const COLLECTION = 'intents';

/** What was done for one application in the name of decisions, and must outlive who did it. Plain JSON. */
export interface IntentRecord {
  /** From an order to scale until all instances served, as last measured. */
  readonly timesToCapacity: Readonly<
    Record<PlatformName, { readonly ms: number; readonly instances: number; readonly at: number }>
  >;
  /** Who runs more instances than it was deployed with. */
  readonly scaled: Readonly<Record<PlatformName, { readonly from: number; readonly to: number }>>;
  /** Where another number of instances is wanted than is configured, and why. */
  readonly sizes: Readonly<Record<PlatformName, Size>>;
  /** The newest; epochs only rise. */
  readonly promotion?: PromotionRecord;
}

export interface PromotionRecord {
  readonly epoch: number;
  readonly platform: PlatformName;
  readonly state: 'running' | 'done' | 'failed';
  /** Epoch milliseconds of the last change. */
  readonly at: number;
  readonly error?: WireError;
}

const NOTHING: IntentRecord = { timesToCapacity: {}, scaled: {}, sizes: {} };

export interface IntentRecords {
  /** As read or written last by this process. */
  known(application: ApplicationName): IntentRecord;
  read(application: ApplicationName): Promise<IntentRecord>;
  /** Changes of one application are written one after the other, each on top of what is there. */
  update(application: ApplicationName, change: (record: IntentRecord) => IntentRecord): Promise<IntentRecord>;
}

export function intentRecordsIn(store: StateStore): IntentRecords {
  const cache = new Map<ApplicationName, IntentRecord>();
  let writing: Promise<unknown> = Promise.resolve();

  async function read(application: ApplicationName): Promise<IntentRecord> {
    const kept = await store.get(COLLECTION, application);
    const record = typeof kept === 'object' && kept !== null ? { ...NOTHING, ...kept } : NOTHING;
    cache.set(application, record);
    return record;
  }

  return {
    known: (application) => cache.get(application) ?? NOTHING,
    read,
    update(application, change) {
      const write = writing.then(async () => {
        const changed = change(await read(application));
        await store.put(COLLECTION, application, changed);
        cache.set(application, changed);
        return changed;
      });
      writing = write.catch(() => undefined);
      return write;
    },
  };
}
