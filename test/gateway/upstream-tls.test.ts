import https from 'node:https';
import type { Server, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_HEALTH, type UpstreamTls } from '../../src/core/settings.ts';
import { createCompatWire } from '../../src/gateway/compat/wire.ts';
import { createFreshProbe } from '../../src/gateway/fresh-probe.ts';
import { createHttp1Wire } from '../../src/gateway/http1/wire.ts';
import { wireOrigin } from '../../src/gateway/lane.ts';
import { createProbe } from '../../src/health/probes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { createTrust } from '../../src/lib/tls-trust.ts';
import { ask, type Cleanup, type CreateWire, listen, startGateway, tableOf } from './harness.ts';

const HOST = 'shop.apps.example.com';
const server = selfSignedCertificate([HOST]);
const client = selfSignedCertificate(['gateway.example.com']);
const stranger = selfSignedCertificate(['stranger.example.com']);
const expired = selfSignedCertificate([HOST], '20210101000000Z');

const OURS: UpstreamTls = { client: { cert: client.certificate, key: client.key } };
const STRANGERS: UpstreamTls = { client: { cert: stranger.certificate, key: stranger.key } };
const SKIP: UpstreamTls = { insecureSkipVerify: true };

const WIRES: readonly [string, CreateWire][] = [
  ['compat', createCompatWire],
  ['fast', createHttp1Wire],
];

describe('TLS to origins', () => {
  let cleanup: Cleanup = { tasks: [] };

  beforeEach(() => {
    cleanup = { tasks: [] };
  });
  afterEach(async () => {
    for (const task of cleanup.tasks) await task();
  });

  interface SecureOrigin {
    readonly port: number;
    readonly url: string;
    /** For each connection: was its session resumed? */
    readonly resumed: boolean[];
  }

  async function secureOrigin(options: https.ServerOptions): Promise<SecureOrigin> {
    const resumed: boolean[] = [];
    const origin: Server = https.createServer(options, (request, response) => {
      const { socket } = request;
      const shown = (socket as TLSSocket).getPeerCertificate().fingerprint256 !== undefined;
      request.resume();
      response.end(shown ? 'known' : 'anybody');
    });
    origin.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    origin.on('tlsClientError', () => undefined);
    const port = await listen(origin);
    cleanup.tasks.push(() => {
      (origin as https.Server).closeAllConnections();
      return new Promise((resolve) => origin.close(resolve));
    });
    return { port, url: `https://127.0.0.1:${port}`, resumed };
  }

  const picky = (): Promise<SecureOrigin> =>
    secureOrigin({
      ...{ cert: server.certificate, key: server.key, ca: client.certificate },
      ...{ requestCert: true, rejectUnauthorized: true },
    });

  const trusted = { sni: HOST, ca: server.certificate };

  describe.each(WIRES)('over the %s wire', (_name, createWire) => {
    it.each([
      ['our certificate', OURS, 200, 'known'],
      ["a stranger's", STRANGERS, undefined, undefined],
      ['none', undefined, undefined, undefined],
    ])('shows an origin that asks for one: %s', async (_which, tls, status, body) => {
      const origin = await picky();
      const { port } = await startGateway(
        cleanup,
        createWire,
        tableOf({ a: { urls: [origin.url], ...trusted } }),
        () => (tls === undefined ? {} : { upstreamTls: { a: tls } }),
      );
      const answer = await ask(port);
      if (status === undefined) expect([502, 503]).toContain(answer.status);
      else expect([answer.status, answer.body]).toEqual([status, body]);
    });

    it('refuses an origin that proves another name, nobody knows, or whose time is over, again and again', async () => {
      const named = await secureOrigin({ cert: server.certificate, key: server.key });
      // Here sessions come before the name is looked at: none may be kept from a connection that failed.
      const old = await secureOrigin({ cert: server.certificate, key: server.key, maxVersion: 'TLSv1.2' });
      const late = await secureOrigin({ cert: expired.certificate, key: expired.key });
      const wishes = [
        { urls: [named.url], ca: server.certificate, sni: 'other.example.com' },
        { urls: [old.url], ca: server.certificate, sni: 'other.example.com' },
        { urls: [named.url], sni: HOST },
        { urls: [late.url], ca: expired.certificate, sni: HOST },
      ];
      for (const wish of wishes) {
        const { port, ejections } = await startGateway(
          cleanup,
          createWire,
          tableOf({ a: wish, b: { urls: ['http://127.0.0.1:1'], share: 0 } }),
        );
        for (let i = 0; i < 3; i += 1) expect((await ask(port)).status).toBe(503);
        expect(ejections.map(({ reason }) => reason)).toContain('tls');
      }
    });

    it('skips the proof for the platform that is named, and for no other', async () => {
      const late = await secureOrigin({ cert: expired.certificate, key: expired.key });
      const only = (platform: string) => tableOf({ [platform]: { urls: [late.url], sni: HOST } });
      const { gateway, port } = await startGateway(cleanup, createWire, only('a'), () => ({
        upstreamTls: { a: SKIP },
      }));
      expect((await ask(port)).status).toBe(200);
      gateway.swap(only('b'));
      expect((await ask(port)).status).toBe(503);
    });

    it('asks for the proof again once the settings want it', async () => {
      const origin = await secureOrigin({ cert: server.certificate, key: server.key });
      const table = tableOf({ a: { urls: [origin.url], sni: 'other.example.com', ca: server.certificate } });
      let settings: Parameters<Parameters<typeof startGateway>[3] & object>[0] | undefined;
      const { gateway, port } = await startGateway(cleanup, createWire, table, (base) => {
        settings = base;
        return { upstreamTls: { a: SKIP } };
      });
      expect((await ask(port)).status).toBe(200);
      await gateway.apply({ ...settings!, listen: [{ host: '127.0.0.1', port }] });
      expect((await ask(port)).status).toBe(503);
    });

    it('goes on without a certificate that cannot be read', async () => {
      const origin = await secureOrigin({ cert: server.certificate, key: server.key });
      const table = tableOf({ a: { urls: [origin.url], ...trusted } });
      const broken = { client: { cert: 'nonsense', key: client.key } };
      const { port } = await startGateway(cleanup, createWire, table, () => ({ upstreamTls: { a: broken } }));
      expect(await ask(port)).toMatchObject({ status: 200, body: 'anybody' });
    });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes sessions of %s on the fast wire', async (version) => {
    const origin = await secureOrigin({
      ...{ cert: server.certificate, key: server.key },
      ...{ minVersion: version, maxVersion: version },
    });
    const { port } = await startGateway(
      cleanup,
      createHttp1Wire,
      tableOf({ a: { urls: [origin.url], ...trusted } }),
    );
    expect((await ask(port)).status).toBe(200);
    // One takes the kept connection, the others must open some.
    const together = await Promise.all(Array.from({ length: 5 }, () => ask(port)));
    expect(together.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(origin.resumed[0]).toBe(false);
    expect(origin.resumed.slice(1)).toEqual(origin.resumed.slice(1).map(() => true));
    expect(origin.resumed.length).toBeGreaterThan(1);
  });

  it('shows it to probes too, for liveness and for health', async () => {
    const origin = await picky();
    const wire = wireOrigin('a/x', origin.url, { ...trusted, tls: OURS });
    const unknown = wireOrigin('a/x', origin.url, trusted);
    const alive = (at: typeof wire): Promise<boolean> =>
      new Promise((resolve) => createFreshProbe(systemClock, createTrust())(at, HOST, 5_000, resolve));
    expect(await alive(wire)).toBe(true);
    expect(await alive(unknown)).toBe(false);

    const probe = createProbe({ clock: systemClock, upstreamTls: () => ({ a: OURS }) });
    const health = { ...DEFAULT_HEALTH, timeoutMs: 5_000 };
    const target = { url: origin.url, hostHeader: HOST, ...trusted };
    expect(await probe({ ...target, platform: 'a' }, health)).toMatchObject({ ok: true });
    expect(await probe({ ...target, platform: 'b' }, health)).toMatchObject({ ok: false });
  });
});
