import { randomBytes } from 'node:crypto';
import https from 'node:https';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings } from '../../../src/core/settings.ts';
import { createCompatWire } from '../../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../../src/gateway/http1/wire.ts';
import type { Wire } from '../../../src/gateway/wire.ts';
import {
  askRaw,
  type Cleanup,
  type CreateWire,
  httpOrigin,
  listen,
  rawOrigin,
  startGateway,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from '../harness.ts';
import { askTls, certificateFor, connectTls, readAll } from './clients.ts';

const shop = certificateFor('shop.example.com');
const apps = certificateFor('*.apps.example.com');
const HELLO = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

const WIRES: readonly (readonly [string, CreateWire])[] = [
  ['http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true })],
  ['compat', createCompatWire],
];

describe.each(WIRES)('clients by TLS on the %s wire', (_name, create) => {
  let cleanup: Cleanup = { tasks: [] };
  let wire: Wire | undefined;
  let settings: GatewaySettings | undefined;

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  const createWire: CreateWire = (its, clock) => {
    settings = its;
    wire = create(its, clock);
    return wire;
  };

  async function start(
    origin: TestOrigin,
    change: (base: GatewaySettings) => Partial<GatewaySettings> = () => ({}),
  ): Promise<TestGateway> {
    return startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }), (base) => ({
      listen: [{ host: '127.0.0.1', port: 0, tls: [shop, apps] }],
      ...change(base),
    }));
  }

  const hello = (): Promise<TestOrigin> =>
    httpOrigin(cleanup, (request, response) => {
      request.resume();
      response.end(`hello by ${request.headers['x-forwarded-proto']}`);
    });

  it('are served with the certificate of the name they ask for, or the first', async () => {
    const { port } = await start(await hello());
    const asked = await askTls(port, { servername: 'x.apps.example.com' });
    expect([asked.body, asked.names]).toEqual(['hello by https', 'DNS:*.apps.example.com']);
    expect((await askTls(port, { servername: 'shop.example.com' })).names).toBe('DNS:shop.example.com');
    expect((await askTls(port, { servername: 'unknown.test' })).names).toBe('DNS:shop.example.com');
    expect((await askTls(port)).names).toBe('DNS:shop.example.com');
  });

  it('keep their connection', async () => {
    const { port } = await start(await hello());
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup.tasks.unshift(() => agent.destroy());
    let connections = 0;
    agent.on('keylog', () => undefined);
    for (let i = 0; i < 3; i += 1) {
      const { body } = await askTls(port, { agent });
      expect(body).toBe('hello by https');
      connections = Object.values(agent.freeSockets).flat().length;
    }
    expect(connections).toBe(1);
  });

  it('speak TLS 1.2 or 1.3, nothing older', async () => {
    const { port } = await start(await hello());
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await connectTls(port, { minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    // Refused by the other side, not for want of something on ours.
    await expect(connectTls(port, old)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('agree on HTTP/1.1 by ALPN, and on nothing we do not know', async () => {
    const { port } = await start(await hello());
    const socket = await connectTls(port, { ALPNProtocols: ['http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
    await expect(connectTls(port, { ALPNProtocols: ['spdy/3'] })).rejects.toThrow(/no application protocol/i);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('resume a session of %s on another worker', async (version) => {
    const origin = await hello();
    const ticketKeys = randomBytes(48).toString('base64');
    const one = await start(origin, () => ({ ticketKeys }));
    const two = await start(origin, () => ({ ticketKeys }));
    const stranger = await start(origin);
    const how = { servername: 'x.apps.example.com', minVersion: version, maxVersion: version };
    const first = await connectTls(one.port, how);
    let session = version === 'TLSv1.2' ? first.getSession() : undefined;
    first.on('session', (ticket) => {
      session ??= ticket;
    });
    first.write(HELLO);
    await until(() => session !== undefined);
    first.destroy();
    const again = await connectTls(two.port, { ...how, session: session! });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    const elsewhere = await connectTls(stranger.port, { ...how, session: session! });
    expect(elsewhere.isSessionReused()).toBe(false);
    elsewhere.destroy();
  });

  it('are closed when they speak plain HTTP, and nobody else notices', async () => {
    const { port } = await start(await hello());
    expect(await askRaw(port, HELLO)).not.toMatch(/^HTTP/);
    expect((await askTls(port)).status).toBe(200);
  });

  it('are closed when their handshake does not come', async () => {
    const { port } = await start(await hello(), ({ timeouts }) => ({
      timeouts: { ...timeouts, headerMs: 150 },
    }));
    const silent = net.connect({ host: '127.0.0.1', port });
    silent.on('error', () => undefined);
    silent.resume();
    await until(() => silent.destroyed);
  });

  it('get a new certificate while old connections go on', async () => {
    const { port } = await start(await hello());
    const old = await connectTls(port, { servername: 'shop.example.com' });
    const answers = readAll(old);
    const renewed = certificateFor('shop.example.com', 'www.example.com');
    const changed = { ...settings!, listen: [{ host: '127.0.0.1', port: 0, tls: [renewed] }] };
    expect(await wire!.relisten(changed)).toEqual([port]);
    expect((await askTls(port)).names).toContain('www.example.com');
    expect(old.destroyed).toBe(false);
    old.write(HELLO.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect(await answers).toContain('hello by https');
  });

  it('keep the old certificate when the new one cannot be used', async () => {
    const { port } = await start(await hello());
    const torn = { ...shop, key: apps.key, certFile: '/etc/tls/shop.pem', keyFile: '/etc/tls/shop.key' };
    const changed = { ...settings!, listen: [{ host: '127.0.0.1', port: 0, tls: [torn] }] };
    await expect(wire!.relisten(changed)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { where: '/etc/tls/shop.pem and /etc/tls/shop.key' },
    });
    expect((await askTls(port)).names).toBe('DNS:shop.example.com');
  });

  it('can tell an answer that was cut from one that ended', async () => {
    const origin = await rawOrigin(cleanup, (socket) => {
      socket.once('data', (request) => {
        const cut = request.toString().startsWith('GET /cut');
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
        setTimeout(() => (cut ? socket.destroy() : socket.end('0\r\n\r\n')), 20);
      });
    });
    const { port } = await start(origin);
    // HTTP/1.0 knows no chunks: the end is told by closing, and that of TLS is an alert (RFC 8446 §6.1).
    const endsWithAlert = async (path: string): Promise<boolean> => {
      const records: Buffer[] = [];
      const relay = net.createServer((near) => {
        const far = net.connect({ host: '127.0.0.1', port });
        far.on('data', (chunk: Buffer) => records.push(chunk));
        for (const socket of [near, far]) socket.on('error', () => undefined);
        near.pipe(far).pipe(near);
      });
      const socket = await connectTls(await listen(relay), { maxVersion: 'TLSv1.2' });
      socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
      await readAll(socket);
      relay.close();
      return lastRecordType(Buffer.concat(records)) === ALERT;
    };
    expect(await endsWithAlert('/whole')).toBe(true);
    expect(await endsWithAlert('/cut')).toBe(false);
  });

  it('that read slowly hold the origin back, and lose nothing', async () => {
    const size = 48 * 1024 * 1024;
    const chunk = randomBytes(64 * 1024);
    let sent = 0;
    const origin = await httpOrigin(cleanup, (_request, response) => {
      response.writeHead(200, { 'content-length': size });
      const push = (): void => {
        while (sent < size) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', push);
        }
        response.end();
      };
      push();
    });
    const { port } = await start(origin);
    const socket: TLSSocket = await connectTls(port);
    socket.write(HELLO.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    socket.pause();
    let before = -1;
    while (before !== sent || sent === 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(sent).toBeLessThan(size);
    const all = readAll(socket);
    socket.resume();
    const text = await all;
    const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
    expect(body.length).toBe(size);
    for (let at = 0; at < size; at += chunk.length) {
      if (!body.subarray(at, at + chunk.length).equals(chunk)) throw new Error(`differs at ${at}`);
    }
  });

  it('that upload are held back while the origin reads slowly, and lose nothing', async () => {
    const body = randomBytes(24 * 1024 * 1024);
    let release: (() => void) | undefined;
    const origin = await httpOrigin(cleanup, (request, response) => {
      const got: Buffer[] = [];
      request.pause();
      release = () => {
        request.on('data', (part: Buffer) => got.push(part));
        request.on('end', () => response.end(Buffer.concat(got).equals(body) ? 'same' : 'different'));
        request.resume();
      };
    });
    const { port } = await start(origin);
    const answer = askTls(port, { method: 'PUT' }, body);
    await until(() => release !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    release?.();
    expect((await answer).body).toBe('same');
  });
});

const ALERT = 21;

function lastRecordType(records: Buffer): number | undefined {
  let type: number | undefined;
  for (let at = 0; at + 5 <= records.length; at += 5 + records.readUInt16BE(at + 3)) type = records[at];
  return type;
}
