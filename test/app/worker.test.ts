import { afterEach, expect, it } from '@jest/globals';
import { request } from 'undici';
import { runWorker } from '../../src/app/worker.ts';
import type { FromWorker, ToSupervisor, ToWorker } from '../../src/core/messages.ts';
import { EMPTY_TABLE } from '../../src/core/routing-table.ts';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';

type Said = FromWorker | ToSupervisor;

interface Hand {
  readonly said: Said[];
  tell(message: ToWorker): void;
  hears<T extends Said['type']>(type: T): Promise<Extract<Said, { type: T }>>;
  disconnect(): void;
  readonly exited: Promise<number>;
}

const open: Hand[] = [];

/** A worker in this process, with us as its supervisor. */
function worker(): Hand {
  const said: Said[] = [];
  const waiting = new Set<() => void>();
  let listener: (message: ToWorker) => void = () => {};
  let onDisconnect: () => void = () => {};
  const exited = new Promise<number>((exit) => {
    runWorker({
      index: 0,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      channel: {
        send(message) {
          said.push(message);
          for (const look of waiting) look();
        },
        onMessage(given) {
          listener = given;
        },
        onDisconnect(given) {
          onDisconnect = given;
        },
      },
      exit,
    });
  });
  const hand: Hand = {
    said,
    tell: (message) => listener(message),
    hears: (type) =>
      new Promise((found) => {
        function look(): void {
          const one = said.find((message) => message.type === type);
          if (!one) return;
          waiting.delete(look);
          // Just compared.
          found(one as Extract<Said, { type: typeof type }>);
        }
        waiting.add(look);
        look();
      }),
    disconnect: () => onDisconnect(),
    exited,
  };
  open.push(hand);
  return hand;
}

afterEach(async () => {
  for (const hand of open.splice(0)) {
    hand.tell({ to: 'worker', type: 'stop', patient: false });
    await hand.exited;
  }
});

function settings(port = 0): GatewaySettings {
  return { ...DEFAULT_GATEWAY, listen: [{ host: '127.0.0.1', port }] };
}

it('says that it hears, listens when told how, and follows tables', async () => {
  const hand = worker();
  await hand.hears('worker-hears');
  hand.tell({ to: 'worker', type: 'settings', revision: 'one', settings: settings() });
  const { ports } = await hand.hears('worker-listening');
  await hand.hears('ready');
  hand.tell({ to: 'worker', type: 'table', table: { ...EMPTY_TABLE, version: 3 } });
  expect(await hand.hears('applied')).toMatchObject({ worker: 0, version: 3 });
  expect(await hand.hears('drained')).toMatchObject({ worker: 0, version: 3 });
  const answer = await request(`http://127.0.0.1:${ports[0]}/`);
  await answer.body.dump();
  expect(answer.statusCode).toBeGreaterThanOrEqual(400);
});

it('reports what it counted, without being asked, and only what changed', async () => {
  const hand = worker();
  hand.tell({ to: 'worker', type: 'settings', revision: 'one', settings: settings() });
  const { ports } = await hand.hears('worker-listening');
  const answer = await request(`http://127.0.0.1:${ports[0]}/`);
  await answer.body.dump();
  const { counters } = await hand.hears('counters');
  expect(Object.values(counters.requests).reduce((all, one) => all + one)).toBe(1);
});

it('tells the supervisor what it failed with, in plain JSON', async () => {
  const first = worker();
  first.tell({ to: 'worker', type: 'settings', revision: 'one', settings: settings() });
  const { ports } = await first.hears('worker-listening');
  const second = worker();
  second.tell({ to: 'worker', type: 'settings', revision: 'one', settings: settings(ports[0]) });
  const failed = await second.hears('failed');
  expect(failed.code).toBe('PORT_IN_USE');
  expect(JSON.parse(JSON.stringify(failed))).toEqual(failed);
});

it('takes other settings while it serves, and answers under their name', async () => {
  const hand = worker();
  hand.tell({ to: 'worker', type: 'settings', revision: 'one', settings: settings() });
  const { ports } = await hand.hears('worker-listening');
  expect(await hand.hears('configured')).toMatchObject({ revision: 'one' });
  hand.said.splice(0);
  const [port = 0] = ports;
  const wider = { ...settings(), listen: [...settings().listen, { host: '127.0.0.1', port: 0 }] };
  hand.tell({ to: 'worker', type: 'settings', revision: 'two', settings: wider });
  const listening = await hand.hears('worker-listening');
  expect(listening.ports).toHaveLength(2);
  expect(listening.ports[0]).toBe(port);
  expect(await hand.hears('configured')).toEqual(expect.objectContaining({ worker: 0, revision: 'two' }));
  hand.said.splice(0);
  const taken = worker();
  taken.tell({ to: 'worker', type: 'settings', revision: 'x', settings: settings(0) });
  const others = await taken.hears('worker-listening');
  const clash = {
    ...settings(),
    listen: [...wider.listen, { host: '127.0.0.1', port: others.ports[0] ?? 0 }],
  };
  hand.tell({ to: 'worker', type: 'settings', revision: 'three', settings: clash });
  expect(await hand.hears('configured')).toMatchObject({ revision: 'three', error: { code: 'PORT_IN_USE' } });
  const answer = await request(`http://127.0.0.1:${port}/`);
  await answer.body.dump();
  expect(answer.statusCode).toBeGreaterThanOrEqual(400);
});

it('ends when it has lost its supervisor', async () => {
  const hand = worker();
  hand.disconnect();
  expect(await hand.exited).toBe(0);
});
