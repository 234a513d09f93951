import type { Dispose, Event, Logger, StateStore } from '../core/ports.ts';
import type { RoutingTable } from '../core/routing-table.ts';

const COLLECTION = 'tables';
const KEY = 'last';

/** The last table on disk: read at start, before the first probe. */
export interface LastTable {
  /** Undefined when there is none, or none that can be used: starting without one is better than not starting. */
  read(): Promise<RoutingTable | undefined>;
  /** Keeps what is published from now on. */
  follow(onTable: Event<RoutingTable>): Dispose;
  /** Resolves when what was published so far is on disk. */
  flush(): Promise<void>;
}

export function createLastTable(store: StateStore, logger: Logger): LastTable {
  let waiting: RoutingTable | undefined;
  let writing: Promise<void> | undefined;

  /** One write at a time, and of many tables that wait only the newest. */
  async function write(): Promise<void> {
    while (waiting !== undefined) {
      const table = waiting;
      waiting = undefined;
      try {
        await store.put(COLLECTION, KEY, table);
      } catch (error) {
        logger.warn(
          { version: table.version, error: String(error) },
          'the routing table could not be kept on disk',
        );
      }
    }
    writing = undefined;
  }

  return {
    async read() {
      try {
        const kept = await store.get(COLLECTION, KEY);
        if (kept === undefined) return undefined;
        if (isTable(kept)) return kept;
        logger.warn({}, 'the kept routing table is of another shape and is not used');
      } catch (error) {
        logger.warn({ error: String(error) }, 'the kept routing table cannot be read');
      }
      return undefined;
    },
    follow(onTable) {
      return onTable((table) => {
        waiting = table;
        writing ??= write();
      });
    },
    async flush() {
      await writing;
    },
  };
}

/** It was written by us, but perhaps by another version of us: the shape is checked as far as we rely on it. */
function isTable(value: unknown): value is RoutingTable {
  if (!isRecord(value) || typeof value['version'] !== 'number' || typeof value['publishedAt'] !== 'number')
    return false;
  return Array.isArray(value['routes']) && value['routes'].every(isRoute);
}

function isRoute(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const texts = ['application', 'host', 'path', 'publicHost', 'retry'].every(
    (key) => typeof value[key] === 'string',
  );
  return texts && Array.isArray(value['targets']) && value['targets'].every(isTarget);
}

function isTarget(value: unknown): boolean {
  if (!isRecord(value) || typeof value['platform'] !== 'string' || typeof value['share'] !== 'number')
    return false;
  if (typeof value['state'] !== 'string' || !Array.isArray(value['origins'])) return false;
  return value['origins'].every((origin) => isRecord(origin) && typeof origin['url'] === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
