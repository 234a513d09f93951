import type { Event } from '../../../../src/core/ports.ts';
import { emitter } from '../../../../src/lib/emitter.ts';
import type { CloudBase } from '../cloud.ts';
import type { Check } from './check.ts';
import { createSlot, type Slot } from './slot.ts';

/** What one process shall run: fixed when it is started, so that later changes of the app do not leak in. */
export interface DesiredProcess {
  readonly processGuid: string;
  readonly appGuid: string;
  readonly type: string;
  readonly dropletGuid: string;
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly diskMb: number;
  readonly health: Check & { readonly startTimeoutMs: number; readonly intervalMs: number };
  readonly readiness: Check & { readonly intervalMs: number };
}

export type ActualState = 'STARTING' | 'RUNNING' | 'CRASHED' | 'DOWN' | 'STOPPING';

export interface InstanceView {
  readonly index: number;
  readonly guid: string;
  readonly state: ActualState;
  readonly routable: boolean;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  readonly port: number;
  readonly details: string | null;
  readonly usage: { readonly cpu: number; readonly memoryBytes: number };
  readonly memoryMb: number;
  readonly diskMb: number;
}

/** What the router may send to. */
export interface Endpoint {
  readonly instanceGuid: string;
  readonly appGuid: string;
  readonly processGuid: string;
  readonly processType: string;
  readonly index: number;
  readonly port: number;
}

/** Keeps the wanted number of instances of every process running, as Diego does. */
export interface Instances {
  /** Begins (or goes on) to keep `count` instances of this process; a process known already is replaced. */
  desire(wish: DesiredProcess, count: number): void;
  /** Live; unknown processes are fine. */
  scale(processGuid: string, count: number): void;
  /** Leaves the router, then SIGTERM; resolves when all are gone. */
  remove(processGuid: string): Promise<void>;
  /** Stops one instance; another takes its place. */
  restartInstance(processGuid: string, index: number): boolean;
  has(processGuid: string): boolean;
  /** One per wanted instance, by index. */
  views(processGuid: string): readonly InstanceView[];
  endpoints(): readonly Endpoint[];
  /** An endpoint came or went, or an instance changed its state. */
  readonly onChange: Event<void>;
  close(): Promise<void>;
}

interface Group {
  readonly wish: DesiredProcess;
  readonly slots: Slot[];
}

export function createInstances(cloud: CloudBase): Instances {
  const groups = new Map<string, Group>();
  const changes = emitter<void>();
  const leaving = new Set<Promise<void>>();
  /** Runner id → the slot it belongs to. */
  const running = new Map<string, Slot>();
  const deps = { cloud, running, changed: () => changes.fire() };

  const disposers = [
    cloud.runner.onChange((instance) => running.get(instance.id)?.observe(instance)),
    cloud.runner.onLog((line) => running.get(line.instance)?.printed(line)),
    cloud.faults.onChange(({ fault, on }) => {
      if (fault !== 'apps-down' && fault !== 'stuck-pending') return;
      for (const group of groups.values()) {
        for (const slot of group.slots) {
          if (!on) slot.release();
          else if (fault === 'apps-down') slot.kill();
        }
      }
    }),
  ];

  function stopSlot(slot: Slot): Promise<void> {
    const stopped = slot.stop().finally(() => leaving.delete(stopped));
    leaving.add(stopped);
    return stopped;
  }

  function resize(group: Group, count: number): void {
    while (group.slots.length > count) {
      const slot = group.slots.pop();
      if (slot) void stopSlot(slot);
    }
    while (group.slots.length < count) {
      const slot = createSlot(deps, group.wish, group.slots.length);
      group.slots.push(slot);
      slot.start();
    }
    changes.fire();
  }

  async function remove(processGuid: string): Promise<void> {
    const group = groups.get(processGuid);
    if (!group) return;
    groups.delete(processGuid);
    const stopped = group.slots.map(stopSlot);
    changes.fire();
    await Promise.all(stopped);
  }

  return {
    desire(wish, count) {
      const before = groups.get(wish.processGuid);
      for (const slot of before?.slots ?? []) void stopSlot(slot);
      const group: Group = { wish, slots: [] };
      groups.set(wish.processGuid, group);
      resize(group, count);
    },
    scale(processGuid, count) {
      const group = groups.get(processGuid);
      if (group) resize(group, count);
    },
    remove,
    restartInstance(processGuid, index) {
      const group = groups.get(processGuid);
      const slot = group?.slots[index];
      if (!group || !slot) return false;
      void stopSlot(slot);
      const next = createSlot(deps, group.wish, index);
      group.slots[index] = next;
      next.start();
      return true;
    },
    has: (processGuid) => groups.has(processGuid),
    views: (processGuid) => (groups.get(processGuid)?.slots ?? []).map((slot) => slot.view()),
    endpoints() {
      const all: Endpoint[] = [];
      for (const { wish, slots } of groups.values()) {
        for (const slot of slots) {
          const { routable, guid, port, index } = slot.view();
          if (!routable) continue;
          all.push({
            instanceGuid: guid,
            appGuid: wish.appGuid,
            processGuid: wish.processGuid,
            processType: wish.type,
            index,
            port,
          });
        }
      }
      return all;
    },
    onChange: changes.event,
    async close() {
      await Promise.all([...groups.keys()].map(remove));
      await Promise.all(leaving);
      for (const dispose of disposers) dispose();
    },
  };
}
