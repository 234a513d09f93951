import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Endpoint } from '../../../../providers/cloudfoundry/local/engine/instances.ts';
import { createIce, type Ice } from '../../../../providers/cloudfoundry/local/ice.ts';
import { createUpgrades } from '../../../../providers/cloudfoundry/local/router-upgrades.ts';
import { systemClock } from '../../../../src/lib/clock.ts';

const HANDSHAKE = 'GET /ws HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('upgrades through the local router', () => {
  let cleanup: (() => void)[] = [];
  let ice: Ice = createIce();

  beforeEach(() => {
    cleanup = [];
    ice = createIce();
  });
  afterEach(() => {
    for (const task of cleanup) task();
  });

  async function listen(server: Server): Promise<number> {
    const sockets = new Set<Duplex>();
    server.on('connection', (socket) => sockets.add(socket));
    cleanup.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Switches, then says everything back. */
  function app(seen: IncomingMessage[] = []): Promise<number> {
    const server = http.createServer();
    server.on('upgrade', (request, socket) => {
      seen.push(request);
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    return listen(server);
  }

  async function routerTo(...ports: number[]): Promise<number> {
    const upgrades = createUpgrades(systemClock, ice);
    const server = http.createServer();
    // Only the port of an endpoint matters here.
    const endpoints = ports.map((port) => ({ port }) as Endpoint);
    server.on('upgrade', (request, client, head) => {
      client.on('error', () => client.destroy());
      void upgrades.serve({ request, client, head }, endpoints, ({ port }) => ({
        host: 'app',
        connection: 'Upgrade',
        upgrade: 'echo',
        'x-port': String(port),
      }));
    });
    return listen(server);
  }

  async function closedPort(): Promise<number> {
    const server = net.createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  function open(port: number): { socket: net.Socket; text(): string; until(end: string): Promise<void> } {
    const socket = net.connect({ host: '127.0.0.1', port });
    cleanup.unshift(() => socket.destroy());
    let text = '';
    let look: () => void = () => undefined;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      look();
    });
    socket.write(HANDSHAKE);
    return {
      socket,
      text: () => text,
      until: (end) =>
        new Promise((resolve) => {
          look = () => text.endsWith(end) && resolve();
          look();
        }),
    };
  }

  it('try the next instance when one cannot be dialled', async () => {
    const seen: IncomingMessage[] = [];
    const alive = await app(seen);
    const client = open(await routerTo(await closedPort(), alive));
    await client.until('\r\n\r\n');
    expect(client.text()).toMatch(/^HTTP\/1\.1 101 /);
    client.socket.write('ping');
    await client.until('ping');
    expect(seen[0]?.headers['x-port']).toBe(String(alive));
  });

  it('are refused as gorouter does when none can be dialled', async () => {
    const client = open(await routerTo(await closedPort()));
    await new Promise((resolve) => client.socket.on('close', resolve));
    expect(client.text()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(client.text()).toContain('endpoint_failure (dial tcp: connect: connection refused)');
  });

  it('stand still in the middle of a tunnel while the router is frozen', async () => {
    const client = open(await routerTo(await app()));
    await client.until('\r\n\r\n');
    client.socket.write('before');
    await client.until('before');
    ice.freeze();
    client.socket.write('after');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.text()).not.toContain('after');
    ice.thaw();
    await client.until('after');
  });

  it('end with the app, and the app hears of clients that are gone', async () => {
    const seen: IncomingMessage[] = [];
    const port = await routerTo(await app(seen));
    const first = open(port);
    await first.until('\r\n\r\n');
    const closed = new Promise((resolve) => seen[0]?.socket.on('close', resolve));
    first.socket.resetAndDestroy();
    await closed;
    const second = open(port);
    await second.until('\r\n\r\n');
    seen[1]?.socket.destroy();
    await new Promise((resolve) => second.socket.on('close', resolve));
    expect(second.text()).toMatch(/\r\n\r\n$/);
  });
});
