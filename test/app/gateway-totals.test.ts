import { expect, it } from '@jest/globals';
import { createGatewayTotals } from '../../src/app/gateway-totals.ts';
import type { FromWorker, WorkerCounters } from '../../src/core/messages.ts';

function counters(ok: number, active: number): WorkerCounters {
  return {
    requests: { '1xx': 0, '2xx': ok, '3xx': 0, '4xx': 1, '5xx': 0, aborted: 0 },
    replays: 1,
    replaysBy: { stale: 1 },
    evacuations: 0,
    refusedByBudget: 0,
    active,
    upgrades: 0,
    flags: { RP: 1 },
    targets: [
      { application: 'a', platform: 'p', classes: [0, 0, ok], buckets: [ok, 1], sumMs: 2, inFlight: active },
    ],
    queue: { waiting: active, refused: 1, timeouts: 0 },
    names: { failures: 2, failing: active },
    connections: { open: active, accepted: ok, refused: 0, handshakes: 0 },
  };
}

function report(worker: number, ok: number, active: number): FromWorker {
  return { to: 'controller', type: 'counters', worker, counters: counters(ok, active) };
}

it('adds up what all workers counted', () => {
  const totals = createGatewayTotals();
  totals.accept(report(0, 10, 1));
  totals.accept(report(1, 5, 2));
  totals.accept(report(0, 12, 0));
  expect(totals.now.requests).toMatchObject({ '2xx': 17, '4xx': 2 });
  expect(totals.now).toMatchObject({ replays: 2, active: 2 });
});

it('does not fall when a worker dies and its successor counts from nothing', () => {
  const totals = createGatewayTotals();
  totals.accept(report(0, 10, 3));
  totals.accept({ to: 'controller', type: 'gone', worker: 0, pid: 1, why: 'killed by SIGKILL' });
  expect(totals.now.requests['2xx']).toBe(10);
  expect(totals.now.active).toBe(0);
  totals.accept(report(0, 2, 1));
  expect(totals.now.requests['2xx']).toBe(12);
  expect(totals.now.active).toBe(1);
});

it('adds up targets, flags, queues and connections over workers, and keeps what the dead counted', () => {
  const totals = createGatewayTotals();
  totals.accept(report(0, 10, 3));
  totals.accept(report(1, 5, 2));
  expect(totals.now).toMatchObject({
    replaysBy: { stale: 2 },
    flags: { RP: 2 },
    targets: [
      { application: 'a', platform: 'p', classes: [0, 0, 15], buckets: [15, 2], sumMs: 4, inFlight: 5 },
    ],
    queue: { waiting: 5, refused: 2 },
    connections: { open: 5, accepted: 15 },
  });
  totals.accept({ to: 'controller', type: 'gone', worker: 1, pid: 1, why: 'killed by SIGKILL' });
  expect(totals.now).toMatchObject({
    targets: [{ classes: [0, 0, 15], inFlight: 3 }],
    queue: { waiting: 3, refused: 2 },
    connections: { open: 3, accepted: 15 },
  });
});
