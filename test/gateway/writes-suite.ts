import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TableRoute, TableWrites } from '../../src/core/routing-table.ts';
import type { DemandSignal } from '../../src/core/signals.ts';
import {
  type AskOptions,
  ask,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  rawOrigin,
  startGateway,
  type TestOrigin,
  tableOf,
  until,
} from './harness.ts';

const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE'];
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/** With its length, which node leaves out for DELETE. */
function write(method: string): AskOptions {
  return { method, body: 'x', headers: { 'content-length': '1', 'idempotency-key': '1' } };
}

/** Where unsafe requests go, and what is shed, over every wire. */
export function writesSuite(name: string, createWire: CreateWire): void {
  describe(`writes over the ${name} wire`, () => {
    let cleanup: Cleanup = { tasks: [] };
    let heard: { readonly at: string; readonly headers: IncomingHttpHeaders }[] = [];

    beforeEach(() => {
      cleanup = { tasks: [] };
      heard = [];
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    const named = (at: string): Promise<TestOrigin> =>
      httpOrigin(cleanup, (request, response) => {
        heard.push({ at, headers: request.headers });
        request.resume();
        request.on('end', () => response.end(at));
      });

    const single = (writer: string | undefined, epoch = 3): Partial<TableRoute> => ({
      writes: { kind: 'single', writer, epoch },
    });

    it('go to the writer alone while everything else is spread', async () => {
      const [a, b] = [await named('a'), await named('b')];
      const targets = {
        a: { urls: [a.url], share: 1 },
        b: { urls: [b.url], state: 'spare', share: 0 },
      } as const;
      const { port } = await startGateway(cleanup, createWire, tableOf(targets, single('b')));
      for (const method of UNSAFE) expect((await ask(port, write(method))).body).toBe('b');
      for (const method of SAFE) expect((await ask(port, { method })).status).toBe(200);
      expect(heard.map(({ at }) => at)).toEqual(['b', 'b', 'b', 'b', 'a', 'a', 'a']);
    });

    it('go to a writer that drains: it alone may execute them', async () => {
      const [a, b] = [await named('a'), await named('b')];
      const targets = {
        a: { urls: [a.url], share: 1 },
        b: { urls: [b.url], state: 'draining', share: 0 },
      } as const;
      const { port } = await startGateway(cleanup, createWire, tableOf(targets, single('b')));
      expect((await ask(port, { method: 'POST', body: 'x' })).body).toBe('b');
    });

    it('tell every origin its role and the epoch, whatever a client says of them', async () => {
      const [a, b] = [await named('a'), await named('b')];
      const targets = {
        a: { urls: [a.url], share: 1 },
        b: { urls: [b.url], share: 0, state: 'spare' },
      } as const;
      const { gateway, port } = await startGateway(cleanup, createWire, tableOf(targets, single('b', 7)));
      const headers = { 'x-sluice-role': 'writer', 'X-Sluice-Epoch': '99', x_sluice_role: 'writer' };
      await ask(port, { headers });
      await ask(port, { method: 'POST', body: 'x', headers });
      expect(heard).toMatchObject([
        { at: 'a', headers: { 'x-sluice-role': 'reader', 'x-sluice-epoch': '7' } },
        { at: 'b', headers: { 'x-sluice-role': 'writer', 'x-sluice-epoch': '7' } },
      ]);
      expect(heard.some((one) => 'x_sluice_role' in one.headers)).toBe(false);
      // Nobody is told anything where writes go anywhere.
      gateway.swap(tableOf(targets));
      await ask(port, { headers });
      expect(Object.keys(heard[2]!.headers).filter((key) => key.includes('sluice'))).toEqual([]);
    });

    it('are told to come back while there is no writer, and reads go on', async () => {
      const a = await named('a');
      const { gateway, port } = await startGateway(
        cleanup,
        createWire,
        tableOf({ a: { urls: [a.url] } }, single(undefined)),
      );
      const refused = await ask(port, { method: 'POST', body: 'x' });
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
      expect((await ask(port)).body).toBe('a');
      expect(heard).toHaveLength(1);
      await until(() => gateway.metrics().flags['NW'] === 1);
    });

    it('are never sent to anybody else when the writer cannot be reached', async () => {
      const a = await named('a');
      const dead = { urls: [`http://127.0.0.1:${await closedPort()}`] };
      const route = { ...single('b'), retry: 'idempotent' } as const;
      const { port } = await startGateway(
        cleanup,
        createWire,
        tableOf({ a: { urls: [a.url] }, b: dead }, route),
      );
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await ask(port, write(method));
        expect(answer.status).toBe(503);
      }
      expect(heard).toEqual([]);
    });

    it('that a writer may have executed are not sent to the next one', async () => {
      const a = await named('a');
      let swap: () => void = () => undefined;
      const b = await rawOrigin(cleanup, (socket) => {
        socket.once('data', () => {
          // The next writer is in the table before the old one breaks off.
          swap();
          socket.destroy();
        });
      });
      const targets = { a: { urls: [a.url] }, b: { urls: [b.url] } };
      const route = (writer: string, epoch: number): Partial<TableRoute> => ({
        ...single(writer, epoch),
        retry: 'idempotent',
      });
      const { gateway, port } = await startGateway(cleanup, createWire, tableOf(targets, route('b', 3)));
      swap = () => gateway.swap(tableOf(targets, route('a', 4)));
      const answer = await ask(port, { method: 'PUT', body: 'x' });
      expect(answer.status).toBe(502);
      expect(heard).toEqual([]);
      expect((await ask(port, { method: 'PUT', body: 'x' })).body).toBe('a');
      expect(heard[0]!.headers).toMatchObject({ 'x-sluice-role': 'writer', 'x-sluice-epoch': '4' });
    });

    it('may go to another origin of the same writer', async () => {
      const [a, b] = [await named('a'), await named('b')];
      const dead = `http://127.0.0.1:${await closedPort()}`;
      const table = tableOf({ a: { urls: [a.url] }, b: { urls: [dead, b.url] } }, single('b'));
      const { port } = await startGateway(cleanup, createWire, table);
      for (let i = 0; i < 6; i += 1) {
        expect((await ask(port, { method: 'POST', body: 'x' })).body).toBe('b');
      }
    });

    it('do not follow the session of a client, which stays where it is', async () => {
      const [a, b] = [await named('a'), await named('b')];
      const targets = {
        a: { urls: [a.url], share: 1 },
        b: { urls: [b.url], share: 0, state: 'spare' },
      } as const;
      const route = { ...single('b'), affinity: true };
      const { port } = await startGateway(cleanup, createWire, tableOf(targets, route));
      const [set = ''] = (await ask(port)).headers['set-cookie'] ?? [];
      const headers = { cookie: set.split(';')[0] ?? '' };
      expect(headers.cookie).toContain('=a.');
      const written = await ask(port, { method: 'POST', body: 'x', headers });
      expect([written.body, written.headers['set-cookie']]).toEqual(['b', undefined]);
      expect((await ask(port, { headers })).body).toBe('a');
    });

    it('are not allowed anywhere where there is no writer at all', async () => {
      const a = await named('a');
      const writes: TableWrites = { kind: 'none' };
      const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [a.url] } }, { writes }));
      for (const method of UNSAFE) {
        const { status, headers } = await ask(port, write(method));
        expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS']);
      }
      for (const method of SAFE) expect((await ask(port, { method })).status).toBe(200);
      expect(heard).toHaveLength(3);
      expect(heard[0]!.headers).toMatchObject({ 'x-sluice-role': 'reader' });
      expect(heard[0]!.headers['x-sluice-epoch']).toBeUndefined();
    });

    it('are shed with everything else, at once and in the part that has no capacity', async () => {
      const a = await named('a');
      const table = tableOf({ a: { urls: [a.url] } }, { shed: 0.25 });
      const { gateway, port } = await startGateway(cleanup, createWire, table);
      const answers = await Promise.all(Array.from({ length: 400 }, () => ask(port)));
      const shed = answers.filter(({ status }) => status === 503);
      expect(shed.length).toBeGreaterThan(60);
      expect(shed.length).toBeLessThan(140);
      const waits = new Set(shed.map(({ headers }) => Number(headers['retry-after'])));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...waits)).toBeLessThanOrEqual(10);
      expect(waits.size).toBeGreaterThan(3);
      expect(heard).toHaveLength(400 - shed.length);
      await until(() => gateway.metrics().flags['OM'] === shed.length);
    });

    it('are not delivered when they are shed, and are told as asked for', async () => {
      const a = await named('a');
      const table = tableOf({ a: { urls: [a.url] } }, { shed: 1 });
      const { gateway, port } = await startGateway(cleanup, createWire, table);
      const told: DemandSignal[] = [];
      gateway.onDemand((signals) => told.push(...signals));
      for (const method of UNSAFE) {
        const { status, headers } = await ask(port, write(method));
        expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true]);
      }
      expect(heard).toEqual([]);
      await until(() => told.length > 0);
      const [{ application, routes } = { application: '', routes: [] }] = told;
      expect([application, routes]).toEqual([
        table.routes[0]?.application,
        [{ host: '*', path: '/', requests: 4, shed: 4 }],
      ]);
    });
  });
}
