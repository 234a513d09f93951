import { describe, expect, it } from '@jest/globals';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { silent, tableOf } from './harness.ts';
import { createHeldWire } from './held-wire.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const ONLY_A = { a: { urls: [`http://${A}`] } };

async function setUp(table: RoutingTable, change: Partial<GatewaySettings['limits']> = {}, workers = 1) {
  const clock = virtualClock();
  const random = seededRandom(5);
  const wire = createHeldWire(clock);
  const settings: GatewaySettings = {
    ...DEFAULT_GATEWAY,
    workers,
    limits: { ...DEFAULT_GATEWAY.limits, perOrigin: 2, queue: 3, ...change },
    timeouts: { ...DEFAULT_GATEWAY.timeouts, queueMs: 500 },
  };
  const gateway = createGateway({
    ...{ worker: 1, settings, clock, random, logger: silent, wire },
    probe: (_origin, _host, _timeoutMs, done) => done(true),
  });
  await gateway.start();
  gateway.swap(table);
  const queue = () => gateway.metrics().queue;
  return { clock, wire, gateway, queue };
}

/** Places are handed over when whoever left is through. */
const handedOver = (): Promise<void> => Promise.resolve();

describe('the queue before a full origin', () => {
  it('lets requests in as others leave, first come first served', async () => {
    const { clock, wire, queue } = await setUp(tableOf(ONLY_A));
    const clients = Array.from({ length: 5 }, () => wire.send());
    expect([wire.attempts.length, queue().waiting]).toEqual([2, 3]);
    wire.attempts[1]!.answer();
    await handedOver();
    expect([wire.attempts.length, queue().waiting]).toEqual([3, 2]);
    expect(wire.attempts[2]!.request.head).toBe(clients[2]!.head);
    wire.attempts[0]!.answer();
    await handedOver();
    expect(wire.attempts[3]!.request.head).toBe(clients[3]!.head);
    wire.attempts[2]!.answer();
    wire.attempts[3]!.answer();
    await handedOver();
    wire.attempts[4]!.answer();
    clock.advance(50);
    expect(clients.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(queue()).toEqual({ waiting: 0, refused: 0, timeouts: 0 });
  });

  it('is bounded: who finds it full is told at once', async () => {
    const { wire, queue } = await setUp(tableOf(ONLY_A));
    const clients = Array.from({ length: 6 }, () => wire.send());
    expect(clients[5]!.status).toBe(503);
    expect(queue()).toEqual({ waiting: 3, refused: 1, timeouts: 0 });
  });

  it('does not exist when nobody may wait', async () => {
    const { wire, queue } = await setUp(tableOf(ONLY_A), { queue: 0 });
    const clients = Array.from({ length: 3 }, () => wire.send());
    expect(clients.map(({ status }) => status)).toEqual([0, 0, 503]);
    expect(queue()).toEqual({ waiting: 0, refused: 1, timeouts: 0 });
  });

  it('is left after its time, with an answer that says when to come again', async () => {
    const { clock, wire, queue } = await setUp(tableOf(ONLY_A));
    const clients = Array.from({ length: 3 }, () => wire.send());
    clock.advance(450);
    expect(clients[2]!.status).toBe(0);
    clock.advance(100);
    expect(clients[2]!.status).toBe(503);
    expect(clients[2]!.answer?.field('retry-after')).toBe('1');
    expect(queue()).toEqual({ waiting: 0, refused: 0, timeouts: 1 });
    expect(wire.attempts).toHaveLength(2);
  });

  it('forgets a client that goes away', async () => {
    const { clock, wire, queue } = await setUp(tableOf(ONLY_A));
    const [, , leaving, staying] = [wire.send(), wire.send(), wire.send({ abortAt: 10 }), wire.send()];
    clock.advance(10);
    expect([leaving.over, queue().waiting]).toEqual([true, 1]);
    wire.attempts[0]!.answer();
    await handedOver();
    expect(wire.attempts[2]!.request.head).toBe(staying.head);
  });

  it('is passed by when another platform has room, a spare one too', async () => {
    const { wire, queue } = await setUp(
      tableOf({ ...ONLY_A, b: { urls: [`http://${B}`], share: 0, state: 'spare' } }),
    );
    for (let i = 0; i < 4; i += 1) wire.send();
    expect([wire.at(A).length, wire.at(B).length, queue().waiting]).toEqual([2, 2, 0]);
    wire.send();
    expect(queue().waiting).toBe(1);
    wire.at(B)[0]!.answer();
    await handedOver();
    expect([wire.at(B).length, queue().waiting]).toEqual([2, 0]);
  });

  it('does not send to an ejected origin while a sound one is only full', async () => {
    const { wire, queue } = await setUp(tableOf({ ...ONLY_A, b: { urls: [`http://${B}`], share: 0 } }));
    wire.send();
    wire.send();
    wire.send();
    wire.at(B)[0]!.fail({ class: 'refused' });
    expect([wire.at(A).length, wire.at(B).length, queue().waiting]).toEqual([2, 0, 1]);
    wire.send();
    expect([wire.at(B).length, queue().waiting]).toEqual([0, 2]);
  });

  it('lets nobody wait for an origin that was ejected meanwhile', async () => {
    const table = tableOf({ ...ONLY_A, b: { urls: [`http://${B}`], share: 0 } });
    const { clock, wire, queue, gateway } = await setUp(table, { perOrigin: 1 });
    const moving = wire.send();
    wire.send();
    wire.at(A)[0]!.send().fail({ class: 'reset' });
    expect([wire.at(A).length, wire.at(B).length, queue().waiting]).toEqual([0, 1, 1]);
    gateway.applyEjection({
      ...{ kind: 'ejection', at: clock.now(), until: clock.now() + 60_000, worker: 2 },
      ...{ platform: 'b', origin: `b/${B}`, reason: 'consecutive-failures' },
    });
    clock.advance(50);
    expect([moving.status, queue().waiting]).toEqual([502, 0]);
  });

  it('calls a replay that has waited for its budget when a place becomes free', async () => {
    const both = { ...ONLY_A, b: { urls: [`http://${B}`], share: 0 } };
    const { wire, gateway, queue } = await setUp(tableOf(both), { perOrigin: 4 });
    const clients = Array.from({ length: 4 }, () => wire.send());
    // Three may be replayed at a time.
    for (const attempt of wire.at(A)) attempt.send().fail({ class: 'reset', delivered: true });
    expect(wire.at(B)).toHaveLength(3);
    gateway.swap(tableOf({ a: { ...ONLY_A.a, share: 0 }, b: { urls: [`http://${B}`], share: 1 } }));
    wire.send();
    // With its answer the first gives back its part of the budget, and only then its place.
    wire.at(B)[0]!.answer();
    await handedOver();
    expect(queue().waiting).toBe(0);
    expect(wire.at(B).at(-1)!.request.head).toBe(clients[3]!.head);
  });

  it('lets nobody wait behind a trial', async () => {
    const table = tableOf({ ...ONLY_A, b: { urls: [`http://${B}`], share: 0 } });
    const { clock, wire, queue } = await setUp(table, { perOrigin: 1 });
    wire.send();
    wire.at(A)[0]!.fail({ class: 'refused' });
    expect(wire.at(B)).toHaveLength(1);
    clock.advance(7_000);
    const trial = wire.send();
    const waiting = wire.send();
    expect([wire.at(A).length, queue().waiting]).toEqual([1, 1]);
    expect(wire.at(A)[0]!.request.head).toBe(trial.head);
    // It waits for the other one, and gets that.
    wire.at(B)[0]!.answer();
    await handedOver();
    expect(wire.at(B)[0]!.request.head).toBe(waiting.head);
    const next = wire.send();
    expect(queue().waiting).toBe(1);
    // The trial went well: a place there is as good as any.
    wire.at(A)[0]!.answer();
    await handedOver();
    expect(wire.at(A)[0]!.request.head).toBe(next.head);
  });

  it('finds a place at once when a new table brings one', async () => {
    const { wire, queue, gateway } = await setUp(tableOf(ONLY_A));
    for (let i = 0; i < 4; i += 1) wire.send();
    expect(queue().waiting).toBe(2);
    gateway.swap(tableOf({ ...ONLY_A, b: { urls: [`http://${B}`] } }));
    expect([wire.at(B).length, queue().waiting]).toEqual([2, 0]);
  });

  it('keeps applications apart: who waits for one holds nobody of another up', async () => {
    const shop = tableOf(ONLY_A, { path: '/shop', application: 'shop' });
    const blog = tableOf({ a: { urls: [`http://${B}`] } }, { application: 'blog' });
    const { wire, queue } = await setUp({ ...blog, routes: [...shop.routes, ...blog.routes] });
    const of = (target: string) => wire.send({ target });
    for (let i = 0; i < 4; i += 1) of('/shop');
    for (let i = 0; i < 3; i += 1) of('/');
    expect(queue().waiting).toBe(3);
    wire.at(B)[0]!.answer();
    await handedOver();
    expect([wire.at(B).length, queue().waiting]).toEqual([2, 2]);
  });

  it('gives a free place to the first who can use it, not to the first', async () => {
    const wide = tableOf({ a: { urls: [`http://${A}`] }, b: { urls: [`http://${B}`] } }, { path: '/wide' });
    const narrow = tableOf(ONLY_A);
    const { wire, queue } = await setUp({ ...narrow, routes: [...wide.routes, ...narrow.routes] });
    wire.send({ target: '/' });
    wire.send({ target: '/' });
    wire.send({ target: '/wide' });
    wire.send({ target: '/wide' });
    const onlyA = wire.send({ target: '/' });
    const either = wire.send({ target: '/wide' });
    wire.at(B)[0]!.answer();
    await handedOver();
    expect(wire.at(B).map(({ request }) => request.head)).toContain(either.head);
    wire.at(A)[0]!.answer();
    await handedOver();
    expect(wire.at(A).map(({ request }) => request.head)).toContain(onlyA.head);
    expect(queue().waiting).toBe(0);
  });

  it('takes replays in too: those of a platform that died wait for the one that is full', async () => {
    const { clock, wire, queue } = await setUp(
      tableOf({ a: { urls: [`http://${A}`], share: 0 }, b: { urls: [`http://${B}`], share: 1 } }),
    );
    const [first, second] = [wire.send(), wire.send()];
    wire.send();
    wire.send();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([2, 2]);
    const dying = wire.at(B);
    dying[0]!.fail({ class: 'refused' });
    dying[1]!.send().fail({ class: 'reset', delivered: true });
    expect(queue().waiting).toBe(2);
    for (const attempt of wire.at(A)) attempt.answer();
    await handedOver();
    expect(wire.at(A).map(({ request }) => request.head)).toEqual([first.head, second.head]);
    for (const attempt of wire.at(A)) attempt.answer();
    clock.advance(50);
    expect([first.status, second.status]).toEqual([200, 200]);
  });

  it('sends nothing unsafe that was delivered into the queue', async () => {
    const { wire, queue } = await setUp(
      tableOf({ a: { urls: [`http://${A}`], share: 0 }, b: { urls: [`http://${B}`], share: 1 } }),
    );
    const [post] = [wire.send({ method: 'POST' }), wire.send(), wire.send(), wire.send()];
    wire.at(B)[0]!.send().fail({ class: 'reset', delivered: true });
    expect([post.status, queue().waiting]).toEqual([502, 0]);
  });

  it('shares caps and places among the workers', async () => {
    const { wire, queue } = await setUp(tableOf(ONLY_A), { perOrigin: 5, queue: 3 }, 2);
    const clients = Array.from({ length: 6 }, () => wire.send());
    expect([wire.attempts.length, queue().waiting, clients[5]!.status]).toEqual([3, 2, 503]);
  });
});
