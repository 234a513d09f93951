import { describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import type { TrafficSignal } from '../../src/core/signals.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { silent, tableOf } from './harness.ts';
import { createHeldWire } from './held-wire.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';

function shares(a: number, b: number) {
  return tableOf({ a: { urls: [`http://${A}`], share: a }, b: { urls: [`http://${B}`], share: b } });
}

/** Once round the event loop. */
const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function setUp(limits: Partial<GatewaySettings['limits']> = {}) {
  const clock = virtualClock();
  const wire = createHeldWire(clock);
  const gateway = createGateway({
    worker: 1,
    settings: { ...DEFAULT_GATEWAY, limits: { ...DEFAULT_GATEWAY.limits, perOrigin: 200, ...limits } },
    clock,
    random: seededRandom(5),
    logger: silent,
    wire,
    probe: (_origin, _host, _timeoutMs, done) => done(true),
  });
  const traffic: TrafficSignal[] = [];
  gateway.onTraffic((signals) => traffic.push(...signals));
  await gateway.start();
  // At 0 nothing has been sent yet.
  clock.advance(5);
  gateway.swap(shares(1, 0));
  return {
    ...{ clock, wire, gateway },
    /** So many requests wait for their answers at the first platform. */
    wait(count: number) {
      const clients = Array.from({ length: count }, () => wire.send());
      for (const attempt of wire.at(A)) attempt.send();
      return clients;
    },
    /** Another worker has found it stalled. */
    stall: () =>
      gateway.applyEjection({
        ...{ kind: 'ejection', at: clock.now(), until: clock.now() + 60_000, worker: 2 },
        ...{ platform: 'a', origin: `a/${A}`, reason: 'stall' },
      }),
    /** Attempts at the first platform that came to nothing, as reported since the last time. */
    timeouts() {
      clock.advance(1_000);
      const reported = traffic.splice(0).filter(({ platform }) => platform === 'a');
      return reported.reduce((sum, { counts }) => sum + counts.timeout, 0);
    },
  };
}

describe('requests that wait at an origin that has stalled', () => {
  it('leave it fifty at once, and fifty more each time round', async () => {
    const { wire, wait, stall } = await setUp();
    wait(120);
    stall();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([70, 50]);
    await round();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([20, 100]);
    await round();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([0, 120]);
  });

  it('count against it at once, and not once more when they leave', async () => {
    const { wait, stall, timeouts } = await setUp();
    wait(120);
    stall();
    expect(timeouts()).toBe(120);
    await round();
    await round();
    expect(timeouts()).toBe(0);
  });

  it('may be answered there until it is their turn', async () => {
    const { wire, wait, stall } = await setUp();
    const clients = wait(60);
    stall();
    for (const attempt of wire.at(A)) attempt.answer();
    await round();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([0, 50]);
    expect(clients.filter(({ status }) => status === 200)).toHaveLength(10);
  });

  it('wait on when nobody else can take them', async () => {
    const { wire, gateway, wait, stall } = await setUp({ perOrigin: 60, queue: 0 });
    gateway.swap(shares(0, 1));
    for (let i = 0; i < 5; i += 1) wire.send();
    gateway.swap(shares(1, 0));
    const clients = wait(60);
    stall();
    await round();
    await round();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([5, 60]);
    expect(clients.filter(({ status }) => status !== 0)).toEqual([]);
  });

  it('are left alone once their clients have gone', async () => {
    const { clock, wire, wait, stall } = await setUp();
    const clients = wait(60);
    stall();
    for (const client of clients) client.abort();
    clock.advance(1);
    await round();
    expect([wire.at(A).length, wire.at(B).length]).toEqual([0, 0]);
  });
});
