import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY, type GatewaySettings } from '../../src/core/settings.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import {
  ask,
  type Cleanup,
  httpOrigin,
  listen,
  startGateway,
  type TestGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

const cleanup: Cleanup = { tasks: [] };

afterEach(async () => {
  for (const task of cleanup.tasks.splice(0)) await task();
});

const BASE: GatewaySettings = {
  ...DEFAULT_GATEWAY,
  listen: [{ host: '127.0.0.1', port: 0 }],
  timeouts: { ...DEFAULT_GATEWAY.timeouts, drainMs: 500 },
};

describe.each([
  ['the byte wire', createHttp1Wire],
  ['the compat wire', createCompatWire],
])('other settings while %s serves', (_name, createWire) => {
  async function start(): Promise<{ made: TestGateway; origin: TestOrigin }> {
    const origin = await httpOrigin(cleanup, (request, response) => {
      request.resume();
      request.on('end', () => response.end('hello'));
    });
    const made = await startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }));
    return { made, origin };
  }

  it('bound the next request, and keep the port', async () => {
    const { made } = await start();
    expect((await ask(made.port, { method: 'POST', body: 'x'.repeat(100) })).status).toBe(200);
    const limits = { ...BASE.limits, bodyBytes: 10, targetBytes: 20 };
    expect(await made.gateway.apply({ ...BASE, limits })).toEqual([made.port]);
    expect((await ask(made.port, { method: 'POST', body: 'x'.repeat(100) })).status).toBe(413);
    expect((await ask(made.port, { path: `/${'x'.repeat(30)}` })).status).toBe(414);
    expect((await ask(made.port)).status).toBe(200);
    await made.gateway.apply(BASE);
    expect((await ask(made.port, { path: `/${'x'.repeat(30)}` })).status).toBe(200);
  });

  it('hold for a connection that is open, from its next request on', async () => {
    const { made } = await start();
    const socket = net.connect(made.port, '127.0.0.1');
    cleanup.tasks.unshift(() => socket.destroy());
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => {
      text += part;
    });
    const send = `GET /${'x'.repeat(30)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    socket.write(send);
    await until(() => text.includes('hello'));
    await made.gateway.apply({ ...BASE, limits: { ...BASE.limits, targetBytes: 20 } });
    text = '';
    socket.write(send);
    await until(() => text.startsWith('HTTP/1.1 414 '));
  });

  it('divide the cap of an origin by the number of workers', async () => {
    const { made, origin } = await start();
    const waiting: (() => void)[] = [];
    const slow = await httpOrigin(cleanup, (_request, response) => {
      waiting.push(() => response.end('late'));
    });
    made.gateway.swap({ ...tableOf({ a: { urls: [slow.url] } }), version: 2 });
    const limits = { ...BASE.limits, perOrigin: 4, queue: 0 };
    await made.gateway.apply({ ...BASE, limits, workers: 2 });
    const asked = Array.from({ length: 3 }, () => ask(made.port).then(({ status }) => status));
    const statuses: number[] = [];
    for (const one of asked) void one.then((status) => statuses.push(status));
    await until(() => waiting.length === 2 && statuses.length === 1);
    expect(statuses).toEqual([503]);
    for (const answer of waiting) answer();
    expect((await Promise.all(asked)).sort()).toEqual([200, 200, 503]);
    expect(origin.seen).toEqual([]);
  });

  it('that cannot be listened with change nothing', async () => {
    const { made } = await start();
    const other = net.createServer();
    const taken = await listen(other);
    cleanup.tasks.push(() => other.close());
    const wanted = {
      ...BASE,
      listen: [...BASE.listen, { host: '127.0.0.1', port: taken }],
      limits: { ...BASE.limits, bodyBytes: 10 },
    };
    await expect(made.gateway.apply(wanted)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    expect((await ask(made.port, { method: 'POST', body: 'x'.repeat(100) })).status).toBe(200);
  });
});
