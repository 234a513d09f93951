import type { ApplicationName } from '../core/ids.ts';
import type { FromWorker, WorkerCounters } from '../core/messages.ts';
import { STATUS_CLASSES, type TargetCounters } from '../core/traffic-counters.ts';

/** What all workers counted, those that died included: a total must not fall because a worker was replaced. */
export interface GatewayTotals {
  accept(message: FromWorker): void;
  readonly now: WorkerCounters;
}

/** What clients of an application were answered: all of it, and how much of that was 5xx. */
export function answersOf(
  { targets }: Pick<WorkerCounters, 'targets'>,
  application: ApplicationName,
): { readonly requests: number; readonly failed: number } {
  let requests = 0;
  let failed = 0;
  for (const { application: name, classes } of targets) {
    if (name !== application) continue;
    for (const [i, count] of classes.entries()) {
      // Who went away got no answer.
      if (STATUS_CLASSES[i] !== 'aborted') requests += count;
      if (STATUS_CLASSES[i] === '5xx') failed += count;
    }
  }
  return { requests, failed };
}

const NOTHING: WorkerCounters = {
  requests: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, aborted: 0 },
  replays: 0,
  replaysBy: {},
  evacuations: 0,
  refusedByBudget: 0,
  active: 0,
  upgrades: 0,
  flags: {},
  targets: [],
  queue: { waiting: 0, refused: 0, timeouts: 0 },
  names: { failures: 0, failing: 0 },
  connections: { open: 0, accepted: 0, refused: 0, handshakes: 0 },
};

export function createGatewayTotals(): GatewayTotals {
  const living = new Map<number, WorkerCounters>();
  let dead = NOTHING;
  return {
    accept(message) {
      if (message.type === 'counters') living.set(message.worker, message.counters);
      if (message.type !== 'gone') return;
      const last = living.get(message.worker);
      if (last !== undefined) dead = sum(dead, withoutPresent(last));
      living.delete(message.worker);
    },
    get now() {
      return [...living.values()].reduce(sum, dead);
    },
  };
}

/** What a worker had right then went with it; what it had counted stays. */
function withoutPresent(last: WorkerCounters): WorkerCounters {
  return {
    ...last,
    active: 0,
    upgrades: 0,
    targets: last.targets.map((target) => ({ ...target, inFlight: 0 })),
    queue: { ...last.queue, waiting: 0 },
    names: { ...last.names, failing: 0 },
    connections: { ...last.connections, open: 0 },
  };
}

function sum(a: WorkerCounters, b: WorkerCounters): WorkerCounters {
  return {
    requests: added(a.requests, b.requests),
    replays: a.replays + b.replays,
    replaysBy: added(a.replaysBy, b.replaysBy),
    evacuations: a.evacuations + b.evacuations,
    refusedByBudget: a.refusedByBudget + b.refusedByBudget,
    active: a.active + b.active,
    upgrades: a.upgrades + b.upgrades,
    flags: added(a.flags, b.flags),
    targets: sumTargets([...a.targets, ...b.targets]),
    queue: added(a.queue, b.queue),
    names: added(a.names, b.names),
    connections: added(a.connections, b.connections),
  };
}

/** By key; one that only one of them has stays as it is. */
function added<T extends { readonly [key in keyof T]: number }>(a: T, b: T): T {
  const all: Record<string, number> = { ...a };
  for (const [key, count] of Object.entries<number>(b)) all[key] = (all[key] ?? 0) + count;
  return all as T;
}

function sumTargets(all: readonly TargetCounters[]): TargetCounters[] {
  const merged = new Map<string, TargetCounters>();
  for (const target of all) {
    const key = `${target.application} ${target.platform}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? target : sumTarget(before, target));
  }
  return [...merged.values()];
}

function sumTarget(a: TargetCounters, b: TargetCounters): TargetCounters {
  return {
    application: a.application,
    platform: a.platform,
    classes: eachAdded(a.classes, b.classes),
    buckets: eachAdded(a.buckets, b.buckets),
    sumMs: a.sumMs + b.sumMs,
    inFlight: a.inFlight + b.inFlight,
  };
}

function eachAdded(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}
