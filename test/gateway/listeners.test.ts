import http from 'node:http';
import net, { type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GatewaySettings, ListenSettings } from '../../src/core/settings.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import type { Wire } from '../../src/gateway/wire.ts';
import {
  ask,
  type Cleanup,
  type CreateWire,
  httpOrigin,
  listen,
  startGateway,
  type TestGateway,
  tableOf,
  until,
} from './harness.ts';
import { connect as connectHttp2 } from './http2/client.ts';
import { askTls, certificateFor } from './tls/clients.ts';

const ANY: ListenSettings = { host: '127.0.0.1', port: 0 };

const WIRES: readonly (readonly [string, CreateWire])[] = [
  ['http1', (settings, clock) => createHttp1Wire(settings, clock, { poison: true })],
  ['compat', createCompatWire],
];

describe.each(WIRES)('the listeners of the %s wire', (name, create) => {
  let cleanup: Cleanup = { tasks: [] };
  let wire: Wire;
  let settings: GatewaySettings;
  let release: (() => void) | undefined;
  const sockets: Socket[] = [];

  beforeEach(() => {
    cleanup = { tasks: [] };
    release = undefined;
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const task of cleanup.tasks) await task();
  });

  async function start(
    change: (base: GatewaySettings) => Partial<GatewaySettings> = () => ({}),
  ): Promise<TestGateway> {
    const origin = await httpOrigin(cleanup, (request, response) => {
      if (request.url === '/slow') release = () => void response.end('slow');
      else response.end('hello');
    });
    const createWire: CreateWire = (its, clock) => {
      settings = its;
      wire = create(its, clock);
      return wire;
    };
    return startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }), change);
  }

  const relisten = (...at: readonly ListenSettings[]): Promise<readonly number[]> =>
    wire.relisten({ ...settings, listen: at });

  /** A connection that stays, once it was answered. */
  async function keptConnection(port: number): Promise<{ socket: Socket; text: () => string }> {
    const socket = net.connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => text.endsWith('hello') || socket.destroyed);
    return { socket, text: () => text };
  }

  it('open another port and keep the first', async () => {
    const { port } = await start();
    const { socket } = await keptConnection(port);
    const [same, other] = await relisten(ANY, { ...ANY, tls: [certificateFor('a')] });
    expect(same).toBe(port);
    expect((await ask(port)).body).toBe('hello');
    expect((await askTls(other!)).body).toBe('hello');
    expect(socket.destroyed).toBe(false);
  });

  it('change from plain text to TLS and back on the same port', async () => {
    const { port } = await start();
    expect(await relisten({ ...ANY, tls: [certificateFor('a')] })).toEqual([port]);
    expect((await askTls(port)).body).toBe('hello');
    await expect(ask(port)).rejects.toThrow();
    expect(await relisten({ ...ANY, port })).toEqual([port]);
    expect((await ask(port)).body).toBe('hello');
  });

  it('close a port, and its connections with their next answer', async () => {
    const { port } = await start();
    const idle = await keptConnection(port);
    const agent = new http.Agent({ keepAlive: true });
    cleanup.tasks.unshift(() => agent.destroy());
    const running = ask(port, { agent, path: '/slow' });
    await until(() => release !== undefined);
    // A port of its own, for `0` would mean the one that is open.
    const spare = net.createServer();
    const wanted = await listen(spare);
    await new Promise((resolve) => spare.close(resolve));
    const [other] = await relisten({ ...ANY, port: wanted });
    expect(other).toBe(wanted);
    await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // It may have a request on its way: so it hears of it with its next answer.
    expect(idle.socket.destroyed).toBe(false);
    idle.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => idle.socket.destroyed);
    expect(idle.text()).toMatch(/connection: close[\s\S]*hello$/i);
    release?.();
    const answer = await running;
    expect([answer.body, answer.headers.connection]).toEqual(['slow', 'close']);
    expect((await ask(wanted)).body).toBe('hello');
  });

  it('cut what outlasts the deadline of a port that closed', async () => {
    const { port } = await start((base) => ({ timeouts: { ...base.timeouts, drainMs: 150 } }));
    const running = ask(port, { path: '/slow' }).catch(() => 'cut');
    await until(() => release !== undefined);
    await relisten({ host: '127.0.0.2', port: 0 });
    expect(await running).toBe('cut');
  });

  it('stay as they are when one of the new ones cannot be opened', async () => {
    const { port } = await start();
    const taken = net.createServer();
    const other = await listen(taken);
    cleanup.tasks.unshift(() => taken.close());
    const free = net.createServer();
    const wanted = await listen(free);
    await new Promise((resolve) => free.close(resolve));
    await expect(relisten({ ...ANY, port: wanted }, { ...ANY, port: other })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      details: { where: `127.0.0.1:${other}` },
    });
    expect((await ask(port)).body).toBe('hello');
    await expect(ask(wanted)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('take no more connections of one address than allowed, except of trusted proxies', async () => {
    const limited = await start(({ limits }) => ({ limits: { ...limits, perAddress: 2 } }));
    const first = await keptConnection(limited.port);
    await keptConnection(limited.port);
    const third = await keptConnection(limited.port);
    expect(third.text()).toBe('');
    first.socket.destroy();
    // As soon as its end has reached us there is room again.
    let next = '';
    await until(() => {
      void keptConnection(limited.port).then(({ text }) => {
        next ||= text();
      });
      return next !== '';
    });
    expect(next).toMatch(/^HTTP\/1\.1 200 /);

    const behind = await start(({ limits }) => ({
      limits: { ...limits, perAddress: 2 },
      trustedProxies: ['127.0.0.0/8'],
    }));
    for (let i = 0; i < 4; i += 1) expect((await keptConnection(behind.port)).text()).toMatch(/ 200 /);
  });

  it('begin to speak HTTP/2, and stop, without a new port', async () => {
    if (name === 'compat') return;
    const { port } = await start();
    await relisten({ ...ANY, http2: true });
    const session = connectHttp2(cleanup, port);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect((await ask(port)).body).toBe('hello');
    await relisten({ host: '127.0.0.2', port: 0 });
    // Told to go by GOAWAY, it goes.
    await until(() => session.destroyed);
  });
});
