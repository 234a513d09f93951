import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY, type GatewaySettings, type OutagePage } from '../../src/core/settings.ts';
import {
  ask,
  type Cleanup,
  type CreateWire,
  closedPort,
  httpOrigin,
  startGateway,
  tableOf,
} from './harness.ts';

const HTML = 'text/html; charset=utf-8';
const PAGES: readonly OutagePage[] = [
  { status: 503, type: HTML, text: '<h1>Sorry</h1>' },
  { status: 404, type: 'text/plain; charset=utf-8', text: 'nobody here' },
  { application: 'books', status: 503, type: 'application/json', text: '{"books":"later"}' },
];
const BROWSER = 'text/html,application/xhtml+xml,application/json;q=0.5,*/*;q=0.8';

/** What the gateway says itself, in the user's own words, over every wire. */
export function outageSuite(name: string, createWire: CreateWire): void {
  describe(`pages of one's own over the ${name} wire`, () => {
    let cleanup: Cleanup = { tasks: [] };

    beforeEach(() => {
      cleanup = { tasks: [] };
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    async function broken(application = 'shop', route = {}): Promise<number> {
      const urls = [`http://127.0.0.1:${await closedPort()}`];
      const table = tableOf({ a: { urls } }, { application, path: '/in', ...route });
      const { port } = await startGateway(cleanup, createWire, table, () => ({ outage: PAGES }));
      return port;
    }

    it('are shown when nobody can serve, with their type, and are kept by nobody', async () => {
      const port = await broken();
      for (const accept of [BROWSER, '*/*', undefined]) {
        const { status, headers, body } = await ask(port, {
          path: '/in',
          headers: accept === undefined ? {} : { accept },
        });
        expect([status, body, headers['content-type']]).toEqual([503, '<h1>Sorry</h1>', HTML]);
        expect(headers['cache-control']).toBe('no-store');
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(headers['content-length']).toBe('14');
      }
    });

    it('are told to HEAD without being shown', async () => {
      const { status, headers, body } = await ask(await broken(), { path: '/in', method: 'HEAD' });
      expect([status, headers['content-type'], headers['content-length'], body]).toEqual([
        503,
        HTML,
        '14',
        '',
      ]);
    });

    it('leave JSON to who asks for JSON, unless they are JSON themselves', async () => {
      const headers = { accept: 'application/json' };
      const answer = await ask(await broken(), { path: '/in', headers });
      expect(JSON.parse(answer.body)).toMatchObject({ status: 503, error: 'Service Unavailable' });
      const own = await ask(await broken('books'), { path: '/in', headers });
      expect([own.headers['content-type'], own.body]).toEqual(['application/json', '{"books":"later"}']);
    });

    it('of an application go before those of all', async () => {
      const { body } = await ask(await broken('books'), { path: '/in', headers: { accept: BROWSER } });
      expect(body).toBe('{"books":"later"}');
    });

    it('are shown to who is shed, and where no route leads', async () => {
      const port = await broken('shop', { shed: 1 });
      const shed = await ask(port, { path: '/in', method: 'POST', body: 'x' });
      expect([shed.status, shed.body]).toEqual([503, '<h1>Sorry</h1>']);
      const lost = await ask(port, { path: '/out' });
      expect([lost.status, lost.body]).toEqual([404, 'nobody here']);
    });

    it('never take the place of an answer of the application', async () => {
      const origin = await httpOrigin(cleanup, (_request, response) => {
        response.writeHead(503, { 'content-type': 'text/plain' }).end('mine');
      });
      const table = tableOf({ a: { urls: [origin.url] } });
      const { port } = await startGateway(cleanup, createWire, table, () => ({ outage: PAGES }));
      const { status, body } = await ask(port, { method: 'POST', body: 'x' });
      expect([status, body]).toEqual([503, 'mine']);
    });

    it('change while it serves', async () => {
      const table = tableOf({});
      let settings: GatewaySettings = DEFAULT_GATEWAY;
      const { gateway, port } = await startGateway(cleanup, createWire, table, (base) => {
        settings = { ...base, outage: PAGES };
        return settings;
      });
      expect((await ask(port)).body).toBe('<h1>Sorry</h1>');
      await gateway.apply({ ...settings, outage: [{ status: 503, type: HTML, text: 'other' }] });
      expect((await ask(port)).body).toBe('other');
    });
  });
}
