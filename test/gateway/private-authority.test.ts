import { createHash } from 'node:crypto';
import https from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { schema } from '../../providers/static/config.ts';
import { createProvider } from '../../providers/static/provider.ts';
import type { Observation } from '../../src/core/provider.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import { DEFAULT_HEALTH } from '../../src/core/settings.ts';
import { routesOf } from '../../src/engine/build-table.ts';
import { observedTargets } from '../../src/engine/targets.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createProbe } from '../../src/health/probes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { application, target } from '../support/scenario.ts';
import { ask, askRaw, type Cleanup, httpOrigin, listen, silent, startGateway, tableOf } from './harness.ts';

const HOST = 'shop.apps.cf.example.com';
const authority = selfSignedCertificate([HOST]);
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('origins behind a private authority', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  async function secureOrigin(): Promise<{ url: string; names: (string | undefined)[]; seen: string[] }> {
    const names: (string | undefined)[] = [];
    const seen: string[] = [];
    const { certificate: cert, key } = authority;
    const server = https.createServer({ cert, key }, (request, response) => {
      seen.push(`${request.method} ${request.headers.host}`);
      request.resume();
      request.on('end', () => response.end('secure'));
    });
    server.on('secureConnection', (socket) => names.push(socket.servername || undefined));
    server.on('tlsClientError', () => undefined);
    server.on('upgrade', (request, socket) => {
      const text = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(text).digest('base64');
      socket.on('error', () => undefined);
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\ntunnel`,
      );
    });
    const port = await listen(server);
    cleanup.tasks.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return { url: `https://127.0.0.1:${port}`, names, seen };
  }

  /** From the platform's option to the table, as the engine does it. */
  async function observe(options: Record<string, unknown>): Promise<Observation> {
    const provider = createProvider({
      platform: 'a',
      options: schema.parse(options),
      clock: systemClock,
      random: seededRandom(1),
      logger: silent,
    });
    const signal = new AbortController().signal;
    return provider.observe({ signal, now: () => 0, log: () => undefined }, 'shop');
  }

  function tableFrom(seen: Observation): RoutingTable {
    const targets = observedTargets('a', seen);
    const origins = targets.flatMap(({ urls }) => urls.map((url) => `a/${new URL(url).host}`));
    const decision = {
      application: 'shop',
      at: 0,
      shares: { a: 1 },
      targets: { a: { share: 1, state: 'active' as const, origins } },
      mode: 'normal' as const,
      summary: '',
      reasons: [],
      proof: () => [],
    };
    const settings = application([target({ platform: 'a' })]);
    return { ...tableOf({}), routes: routesOf({ settings, decision, targets }) };
  }

  it('are probed, served and tunnelled to with the SNI of the application', async () => {
    const origin = await secureOrigin();
    const seen = await observe({ origins: [origin.url], hostHeader: HOST, ca: authority.certificate });
    const probe = createProbe({ clock: systemClock });
    const health = { ...DEFAULT_HEALTH, timeoutMs: 5_000 };
    expect(await probe(seen.origins[0]!, health)).toMatchObject({ ok: true });

    // Through JSON, as it reaches a worker.
    const table: RoutingTable = JSON.parse(JSON.stringify(tableFrom(seen)));
    const { port, ejections } = await startGateway(cleanup, createCompatWire, table);
    expect((await ask(port, { method: 'POST', body: 'order' })).body).toBe('secure');
    const tunnel = await askRaw(
      port,
      `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    );
    expect(tunnel).toMatch(/^HTTP\/1\.1 101 [\s\S]*tunnel$/);
    expect(origin.seen).toEqual([`GET ${HOST}`, `POST ${HOST}`]);
    expect(new Set(origin.names)).toEqual(new Set([HOST]));
    expect(ejections).toEqual([]);
  });

  it.each([
    ['nobody vouches for them', { ca: undefined, sni: HOST }],
    ['their certificate is for another name', { ca: authority.certificate, sni: 'other.example.com' }],
  ])('get nothing when %s', async (_why, { ca, sni }) => {
    const origin = await secureOrigin();
    const other = await httpOrigin(cleanup, (_request, response) => response.end('b'));
    const trust = ca === undefined ? {} : { ca };
    const table = tableOf({
      a: { urls: [origin.url], share: 1, sni, hostHeader: HOST, ...trust },
      b: { urls: [other.url], share: 0 },
    });
    const { port, ejections } = await startGateway(cleanup, createCompatWire, table);
    expect((await ask(port)).body).toBe('b');
    expect(ejections.map(({ reason }) => reason)).toEqual(['tls']);
    expect(origin.seen).toEqual([]);
  });

  it('are another origin once another authority vouches for them', async () => {
    const origin = await secureOrigin();
    const url = origin.url;
    const wish = { urls: [url], share: 1, sni: HOST, hostHeader: HOST };
    const { port, gateway } = await startGateway(
      cleanup,
      createCompatWire,
      tableOf({ a: { ...wish, ca: authority.certificate } }),
    );
    expect((await ask(port)).status).toBe(200);
    gateway.swap(tableOf({ a: { ...wish, ca: selfSignedCertificate([HOST]).certificate } }));
    expect((await ask(port)).status).toBe(503);
    gateway.swap(tableOf({ a: { ...wish, ca: authority.certificate } }));
    expect((await ask(port)).status).toBe(200);
  });
});
