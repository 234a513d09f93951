import { fromWire, SluiceError, type WireError } from '../core/errors.ts';
import type { FromWorker, ToWorker } from '../core/messages.ts';
import type { Clock, Event } from '../core/ports.ts';
import type { RoutingTable } from '../core/routing-table.ts';
import { emitter } from '../lib/emitter.ts';

/** The controller's side of the channel to the workers: who is there, which table each follows and has drained to. */
export interface WorkerLink {
  publish(table: RoutingTable): void;
  accept(message: FromWorker): void;
  readonly ready: number;
  readonly onMessage: Event<FromWorker>;
  /** Resolves true when every live worker applied this version or a later one; false when the time is over. */
  applied(version: number, withinMs: number): Promise<boolean>;
  /** Resolves true when every live worker has drained to this version or a later one. */
  drained(version: number, withinMs: number): Promise<boolean>;
  /** Resolves when every live worker serves by these settings; throws what one of them could not, or NOT_HEALTHY. */
  configured(revision: string, withinMs: number): Promise<void>;
}

interface Known {
  applied: number;
  drained: number;
  /** Its last answer to a change of settings. */
  configured?: { readonly revision: string; readonly error?: WireError };
}

export function createWorkerLink(clock: Clock, send: (message: ToWorker) => void): WorkerLink {
  const workers = new Map<number, Known>();
  const messages = emitter<FromWorker>();
  let last: RoutingTable | undefined;

  function reached(what: 'applied' | 'drained', version: number): boolean {
    for (const worker of workers.values()) if (worker[what] < version) return false;
    return true;
  }

  async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = clock.monotonic() + withinMs;
    while (!holds()) {
      if (clock.monotonic() >= deadline) return false;
      await clock.sleep(20);
    }
    return true;
  }

  function isConfigured(revision: string): boolean {
    for (const { configured } of workers.values()) {
      if (configured?.revision !== revision) return false;
      if (configured.error) throw fromWire(configured.error);
    }
    return true;
  }

  return {
    get ready() {
      return workers.size;
    },
    onMessage: messages.event,
    publish(table) {
      last = table;
      send({ to: 'worker', type: 'table', table });
    },
    accept(message) {
      const known = workers.get(message.worker) ?? { applied: 0, drained: 0 };
      switch (message.type) {
        case 'ready':
          workers.set(message.worker, known);
          known.applied = Math.max(known.applied, message.tableVersion);
          // A worker that came after the last publication, or that we only now hear of.
          if (last && message.tableVersion < last.version) send({ to: 'worker', type: 'table', table: last });
          break;
        case 'gone':
          workers.delete(message.worker);
          break;
        case 'applied':
          known.applied = message.version;
          workers.set(message.worker, known);
          break;
        case 'drained':
          known.drained = message.version;
          workers.set(message.worker, known);
          break;
        case 'configured':
          known.configured = message;
          workers.set(message.worker, known);
          break;
      }
      messages.fire(message);
    },
    applied: (version, withinMs) => until(() => reached('applied', version), withinMs),
    drained: (version, withinMs) => until(() => reached('drained', version), withinMs),
    async configured(revision, withinMs) {
      if (await until(() => isConfigured(revision), withinMs)) return;
      throw new SluiceError('NOT_HEALTHY', `not every worker took the settings within ${withinMs / 1000} s`, {
        remedy: 'read the log of the workers',
      });
    },
  };
}
