import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createForwarder, type Forwarder, type ForwarderOptions } from '../../src/lib/http-proxy.ts';
import {
  ask,
  askRaw,
  type Cleanup,
  closedPort,
  httpOrigin,
  listen,
  rawOrigin,
  until,
} from '../gateway/harness.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function upgradeTo(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
}

describe('the forwarder', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  async function proxyTo(target: string, options: ForwarderOptions = {}): Promise<number> {
    const forwarder: Forwarder = createForwarder(options);
    const server = http.createServer((request, response) => forwarder.web(request, response, target));
    server.on('upgrade', (request, socket, head) => forwarder.upgrade(request, socket, head, target));
    const port = await listen(server);
    cleanup.tasks.unshift(() => {
      forwarder.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return port;
  }

  it('forwards the target byte for byte and keeps connections', async () => {
    const ports = new Set<number | undefined>();
    const origin = await httpOrigin(cleanup, (request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    const port = await proxyTo(origin.url, { keepAliveMs: 1_000 });
    for (let i = 0; i < 3; i += 1) expect((await ask(port, { path: '/a//b?x=//' })).body).toBe('ok');
    expect(origin.seen).toEqual(Array(3).fill('GET /a//b?x=//'));
    expect(ports.size).toBe(1);
  });

  it('does not turn the body of a chunked DELETE into a second request', async () => {
    const origin = await httpOrigin(cleanup, (request, response) => {
      request.resume();
      request.on('end', () => response.end());
    });
    const port = await proxyTo(origin.url, { keepAliveMs: 1_000 });
    const body = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const method of ['DELETE', 'OPTIONS']) {
      await ask(port, { method, headers: { 'transfer-encoding': 'chunked' }, body });
    }
    expect(origin.seen).toEqual(['DELETE /', 'OPTIONS /']);
  });

  it('closes the upstream request when the client goes away', async () => {
    let closed = false;
    const origin = await httpOrigin(cleanup, (_request, response) => {
      response.on('close', () => {
        closed = true;
      });
    });
    const port = await proxyTo(origin.url);
    const request = http.get({ host: '127.0.0.1', port, agent: false });
    request.on('error', () => undefined);
    await until(() => origin.seen.length === 1);
    request.destroy();
    await until(() => closed);
  });

  it('cuts the client off when upstream dies in the middle of a body', async () => {
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello');
        setTimeout(() => socket.destroy(), 10);
      });
    });
    await expect(ask(await proxyTo(origin.url))).rejects.toThrow();
  });

  it('answers 502, or what it is told to, when nobody listens', async () => {
    const target = `http://127.0.0.1:${await closedPort()}`;
    expect((await ask(await proxyTo(target))).status).toBe(502);
    const port = await proxyTo(target, {
      onError: (_error, _request, response) => response.writeHead(503, { 'x-router': 'mine' }).end(),
    });
    expect((await ask(port)).headers['x-router']).toBe('mine');
  });

  it('tunnels an upgrade with both halves, and a refusal in one whole message', async () => {
    const origin = await httpOrigin(
      cleanup,
      (_request, response) => void response.writeHead(426).end(),
      (server) =>
        server.on('upgrade', (request, socket) => {
          socket.on('error', () => undefined);
          if (request.url === '/refuse') {
            socket.end('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n');
            return;
          }
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
          socket.on('data', (chunk) => socket.write(chunk));
          socket.on('end', () => socket.end('bye'));
        }),
    );
    const port = await proxyTo(origin.url);
    const hello = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write(hello('/ws'));
    await until(() => text.includes('\r\n\r\n'));
    socket.end('ping');
    await until(() => text.endsWith('pingbye'));
    const refused = await askRaw(port, hello('/refuse'));
    expect(refused).toMatch(/^HTTP\/1\.1 403 /);
    expect(refused).not.toMatch(/transfer-encoding/i);
    expect(refused).toMatch(/\r\n\r\nno$/);
  });

  it('says nothing of its own in a tunnel whose upstream breaks', async () => {
    let upstream: net.Socket | undefined;
    const origin = await rawOrigin(cleanup, (socket) => {
      upstream = socket;
      socket.once('data', () => socket.write(`${SWITCH}hello`));
    });
    const port = await proxyTo(origin.url);
    const answered = askRaw(port, upgradeTo('/ws'));
    await until(() => upstream !== undefined && upstream.bytesWritten > SWITCH.length);
    await new Promise((resolve) => setTimeout(resolve, 20));
    upstream?.resetAndDestroy();
    expect(await answered).toMatch(/\r\n\r\nhello$/);
  });

  it('ends the tunnel of a client that is destroyed without an error', async () => {
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.once('data', () => socket.write(SWITCH));
      socket.on('end', () => socket.end());
    });
    const forwarder = createForwarder();
    const server = http.createServer();
    let client: Duplex | undefined;
    server.on('upgrade', (request, socket, head) => {
      client = socket;
      forwarder.upgrade(request, socket, head, origin.url);
    });
    const port = await listen(server);
    cleanup.tasks.unshift(() => new Promise((resolve) => server.close(resolve)));
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    const switched = new Promise((resolve) => socket.once('data', resolve));
    socket.write(upgradeTo('/ws'));
    await switched;
    client?.destroy();
    await until(() => origin.sockets.size === 0);
  });

  it('switches to any protocol over a connection it is given, with the headers it is given', async () => {
    let seen = '';
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.on('data', (chunk) => {
        seen += chunk.toString();
        if (seen.endsWith('\r\n\r\n')) socket.write(SWITCH.replace('websocket', 'echo'));
        else socket.end(chunk);
      });
    });
    const forwarder = createForwarder();
    const tunnels: unknown[] = [];
    const server = http.createServer();
    server.on('upgrade', (request, client, head) => {
      const connection = net.connect({ host: '127.0.0.1', port: origin.port, allowHalfOpen: true });
      connection.on('connect', () =>
        forwarder.upgrade(request, client, head, 'http://nobody.invalid', {
          connection,
          headers: { host: 'app', connection: 'Upgrade', upgrade: 'echo' },
          onTunnel: (tunnel) => tunnels.push(tunnel),
        }),
      );
    });
    const port = await listen(server);
    cleanup.tasks.unshift(() => new Promise((resolve) => server.close(resolve)));
    const text = await askRaw(port, `${upgradeTo('/x').replace('websocket', 'echo')}early`);
    expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*early$/);
    expect(seen).toBe('GET /x HTTP/1.1\r\nhost: app\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nearly');
    expect(tunnels).toHaveLength(1);
  });

  it('survives clients that reset in the middle of an upgrade', async () => {
    const origin = await rawOrigin(cleanup, (socket) => socket.resume().on('end', () => socket.destroy()));
    const port = await proxyTo(origin.url);
    for (let i = 0; i < 5; i += 1) {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await until(() => origin.sockets.size > 0);
      socket.resetAndDestroy();
      await until(() => origin.sockets.size === 0);
    }
    expect((await ask(await proxyTo(`http://127.0.0.1:${await closedPort()}`))).status).toBe(502);
  });
});
