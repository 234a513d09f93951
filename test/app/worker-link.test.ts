import { beforeEach, describe, expect, it } from '@jest/globals';
import { createWorkerLink, type WorkerLink } from '../../src/app/worker-link.ts';
import type { FromWorker, ToWorker } from '../../src/core/messages.ts';
import { EMPTY_TABLE } from '../../src/core/routing-table.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { pass, settled } from '../support/virtual-time.ts';

let clock: VirtualClock;
let sent: ToWorker[];
let link: WorkerLink;

beforeEach(() => {
  clock = virtualClock();
  sent = [];
  link = createWorkerLink(clock, (message) => sent.push(message));
});

function publish(version: number): void {
  link.publish({ ...EMPTY_TABLE, version });
}

function ready(worker: number, tableVersion = 0): void {
  link.accept({ to: 'controller', type: 'ready', worker, tableVersion });
}

function says(worker: number, type: 'applied' | 'drained', version: number): void {
  link.accept({ to: 'controller', type, worker, version });
}

function gone(worker: number): void {
  link.accept({ to: 'controller', type: 'gone', worker, pid: 1, why: 'killed by SIGKILL' });
}

/** What the promise came to by now. */
async function outcome(promise: Promise<boolean>): Promise<boolean | 'waiting'> {
  let seen: boolean | 'waiting' = 'waiting';
  void promise.then((value) => {
    seen = value;
  });
  await settled();
  return seen;
}

describe('the link to the workers', () => {
  it('sends the last table to a worker that came after it was published', () => {
    publish(4);
    sent.length = 0;
    ready(0);
    expect(sent).toEqual([{ to: 'worker', type: 'table', table: { ...EMPTY_TABLE, version: 4 } }]);
  });

  it('sends nothing to a worker that follows that table already', () => {
    publish(4);
    sent.length = 0;
    ready(0, 4);
    expect(sent).toEqual([]);
  });

  it('counts those who are ready, and no more those who are gone', () => {
    ready(0);
    ready(1);
    expect(link.ready).toBe(2);
    gone(0);
    expect(link.ready).toBe(1);
  });

  it('waits until every worker has applied the version or a later one', async () => {
    ready(0);
    ready(1);
    const applied = link.applied(7, 1_000);
    says(0, 'applied', 7);
    await pass(clock, 100);
    expect(await outcome(applied)).toBe('waiting');
    says(1, 'applied', 9);
    await pass(clock, 100);
    expect(await outcome(applied)).toBe(true);
  });

  it('knows what a worker followed when it was introduced: a new controller does not wait for it', async () => {
    ready(0, 7);
    expect(await outcome(link.applied(7, 1_000))).toBe(true);
  });

  it('does not wait for a worker that died', async () => {
    ready(0);
    ready(1);
    says(0, 'drained', 3);
    const drained = link.drained(3, 1_000);
    gone(1);
    await pass(clock, 100);
    expect(await outcome(drained)).toBe(true);
  });

  it('says false when the time is over', async () => {
    ready(0);
    says(0, 'applied', 3);
    const drained = link.drained(3, 1_000);
    await pass(clock, 1_100);
    expect(await outcome(drained)).toBe(false);
  });

  it('passes every message on, after it has taken note of it', () => {
    const heard: [FromWorker['type'], number][] = [];
    link.onMessage((message) => heard.push([message.type, link.ready]));
    ready(0);
    gone(0);
    expect(heard).toEqual([
      ['ready', 1],
      ['gone', 0],
    ]);
  });
});
