import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { originId } from '../../../src/core/ids.ts';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../../src/core/settings.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import { Reception } from '../../../src/gateway/reception.ts';
import type { Downstream, Outcome, UpstreamHandler, Wire } from '../../../src/gateway/wire.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { type VirtualClock, virtualClock } from '../../../src/lib/virtual-clock.ts';
import { listen, until } from '../harness.ts';

/** Slowness as such is looked at in limits.test.ts. */
const SETTINGS: GatewaySettings = {
  ...DEFAULT_GATEWAY,
  limits: { ...DEFAULT_GATEWAY.limits, minRate: 0 },
};

describe('deadlines of the http1 wire', () => {
  let clock: VirtualClock;
  let wire: Wire;
  let port = 0;
  let offered: Downstream[] = [];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    clock = virtualClock();
    wire = createHttp1Wire(SETTINGS, clock, { poison: true });
    offered = [];
    [port = 0] = await wire.listen([{ host: '127.0.0.1', port: 0 }], (downstream) =>
      offered.push(downstream),
    );
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await wire.close();
  });

  async function client(text: string): Promise<{ socket: Socket; text: () => string }> {
    const socket = net.connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    let got = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(text);
    // Until the other side has had the bytes.
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { socket, text: () => got };
  }

  it('answers 408 to a head that does not end, however slowly it goes on', async () => {
    const { socket, text } = await client('GET / HTTP/1.1\r\nHost');
    for (let i = 0; i < 6; i += 1) {
      clock.advance(1_500);
      socket.write('x');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(text()).toBe('');
    clock.advance(1_500);
    await until(() => socket.destroyed);
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    expect(offered).toHaveLength(0);
  });

  it('closes a client that asks nothing', async () => {
    const { socket, text } = await client('');
    clock.advance(SETTINGS.timeouts.clientKeepAliveMs - 400);
    expect(socket.destroyed).toBe(false);
    clock.advance(800);
    await until(() => socket.destroyed);
    expect(text()).toBe('');
  });

  it('leaves the time of a request to the exchange', async () => {
    const { socket } = await client('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => offered.length === 1);
    clock.advance(10 * SETTINGS.timeouts.clientKeepAliveMs);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(socket.destroyed).toBe(false);
  });

  it('lingers for a refused client, but not for ever', async () => {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    sockets.push(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write('GET / HTTP/1.1\r\nHost : a\r\n\r\nmore and more');
    await until(() => socket.readableEnded);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(socket.destroyed).toBe(false);
    clock.advance(3_000);
    socket.write('still there?');
    await until(() => {
      socket.write('x');
      return socket.destroyed;
    });
  });

  it('gives up a connection that does not come about', async () => {
    // Accepts connections and never answers: TLS does not get anywhere.
    const server = net.createServer((socket) => sockets.push(socket));
    const deaf = await listen(server);
    let outcome: Outcome | undefined;
    const handler: UpstreamHandler = {
      onSent: () => undefined,
      onInform: () => undefined,
      onHead: () => undefined,
      onChunk: () => undefined,
      onEnd: () => undefined,
      onOriginDrain: () => undefined,
      onOutcome: (came) => {
        outcome = came;
      },
    };
    await client('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => offered.length === 1);
    const origin = {
      id: originId('a', 'x'),
      key: 'x',
      secure: true,
      hostname: '127.0.0.1',
      port: deaf,
      sni: undefined,
      ca: undefined,
    };
    const { head } = offered[0]!;
    const stamp = new Reception(SETTINGS, seededRandom(1)).receive(head, 0);
    const edit = { host: undefined, platform: 'a', role: undefined };
    wire.attempt({ origin, head, edit, stamp, fresh: false, once: false }, handler);
    clock.advance(SETTINGS.timeouts.connectMs - 300);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(outcome).toBeUndefined();
    clock.advance(600);
    await until(() => outcome !== undefined);
    expect(outcome).toMatchObject({ kind: 'failed', class: 'connect-timeout', delivered: false });
    server.close();
  });
});
