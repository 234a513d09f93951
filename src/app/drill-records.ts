import type { DrillRecord } from '../core/drill.ts';
import { provedBy } from '../core/drill.ts';
import type { StateStore } from '../core/ports.ts';

const COLLECTION = 'drills';
/** More than a year of weekly ones, for each application. */
const KEPT = 100;

export interface DrillRecords {
  /** As they were when this process began, and as put since; oldest first. */
  all(): readonly DrillRecord[];
  load(): Promise<void>;
  /** Counts from now on, also when it cannot be written. */
  put(record: DrillRecord): Promise<void>;
}

/** Reports of drills, in the state. The newest that proves a platform is kept however old it is. */
export function drillRecords(store: StateStore): DrillRecords {
  let records: readonly DrillRecord[] = [];

  function excess(application: string): readonly DrillRecord[] {
    const own = records.filter((record) => record.application === application);
    const proofs = new Map<string, DrillRecord>();
    for (const record of own) {
      for (const platform of Object.keys(record.before.shares)) {
        if (provedBy(record, platform)) proofs.set(platform, record);
      }
    }
    const kept = new Set([...proofs.values(), ...own.slice(-KEPT)]);
    return own.filter((record) => !kept.has(record));
  }

  return {
    all: () => records,
    async load() {
      const found: DrillRecord[] = [];
      for (const key of await store.keys(COLLECTION)) {
        const record = await store.get(COLLECTION, key);
        if (isRecord(record)) found.push(record);
      }
      records = found.sort((a, b) => a.startedAt - b.startedAt);
    },
    async put(record) {
      const at = records.findIndex(({ id }) => id === record.id);
      records = at < 0 ? [...records, record] : records.with(at, record);
      const old = excess(record.application);
      records = records.filter((one) => !old.includes(one));
      await store.put(COLLECTION, record.id, record);
      for (const { id } of old) await store.delete(COLLECTION, id);
    },
  };
}

/** Of a document that we wrote ourselves, perhaps in another version. */
function isRecord(value: unknown): value is DrillRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof DrillRecord, unknown>> = value;
  return (
    typeof record.id === 'string' &&
    typeof record.application === 'string' &&
    typeof record.platform === 'string' &&
    typeof record.startedAt === 'number' &&
    typeof record.phase === 'string' &&
    typeof record.evidence === 'object' &&
    typeof record.before === 'object'
  );
}
