import type { FromWorker, WorkerCounters } from '../core/messages.ts';

/** What all workers counted, those that died included: a total must not fall because a worker was replaced. */
export interface GatewayTotals {
  accept(message: FromWorker): void;
  readonly now: WorkerCounters;
}

const NOTHING: WorkerCounters = {
  requests: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, aborted: 0 },
  replays: 0,
  evacuations: 0,
  refusedByBudget: 0,
  active: 0,
  upgrades: 0,
};

export function createGatewayTotals(): GatewayTotals {
  const living = new Map<number, WorkerCounters>();
  let dead = NOTHING;
  return {
    accept(message) {
      if (message.type === 'counters') living.set(message.worker, message.counters);
      if (message.type !== 'gone') return;
      // Its requests went with it; what it had counted stays.
      const last = living.get(message.worker) ?? NOTHING;
      dead = sum(dead, { ...last, active: 0, upgrades: 0 });
      living.delete(message.worker);
    },
    get now() {
      return [...living.values()].reduce(sum, dead);
    },
  };
}

function sum(a: WorkerCounters, b: WorkerCounters): WorkerCounters {
  const { requests: x } = a;
  const { requests: y } = b;
  return {
    requests: {
      '1xx': x['1xx'] + y['1xx'],
      '2xx': x['2xx'] + y['2xx'],
      '3xx': x['3xx'] + y['3xx'],
      '4xx': x['4xx'] + y['4xx'],
      '5xx': x['5xx'] + y['5xx'],
      aborted: x.aborted + y.aborted,
    },
    replays: a.replays + b.replays,
    evacuations: a.evacuations + b.evacuations,
    refusedByBudget: a.refusedByBudget + b.refusedByBudget,
    active: a.active + b.active,
    upgrades: a.upgrades + b.upgrades,
  };
}
