import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ask,
  askRaw,
  type Cleanup,
  type CreateWire,
  httpOrigin,
  startGateway,
  type TestOrigin,
  tableOf,
} from './harness.ts';

const TRACE = 'a1b2'.repeat(8);
const TRACEPARENT = `00-${TRACE}-${'c3d4'.repeat(4)}-01`;

/** What is said of a client and of a request to origins, and back: the same over every wire. */
export function identitySuite(name: string, createWire: CreateWire): void {
  describe(`who and what a request is, over the ${name} wire`, () => {
    let cleanup: Cleanup = { tasks: [] };

    beforeEach(() => {
      cleanup = { tasks: [] };
    });
    afterEach(async () => {
      for (const task of cleanup.tasks) await task();
    });

    const echo = (headers: Record<string, string | string[]> = {}): Promise<TestOrigin> =>
      httpOrigin(cleanup, (request, response) => {
        response.writeHead(200, headers);
        response.end(JSON.stringify(request.headers));
      });

    async function gatewayTo(origin: TestOrigin, trustedProxies: readonly string[] = []) {
      return startGateway(cleanup, createWire, tableOf({ a: { urls: [origin.url] } }), () => ({
        trustedProxies,
      }));
    }

    async function seenBy(
      trustedProxies: readonly string[],
      headers: Record<string, string | string[]>,
    ): Promise<Record<string, string>> {
      const { port } = await gatewayTo(await echo(), trustedProxies);
      return JSON.parse((await ask(port, { headers })).body);
    }

    describe('the client', () => {
      it('is the nearest stranger behind trusted proxies', async () => {
        const seen = await seenBy(['127.0.0.1', '10.0.0.0/8'], {
          'x-forwarded-for': ['6.6.6.6, 192.0.2.7', '10.1.2.3, 10.9.9.9'],
          'x-forwarded-host': 'www.example',
          'x-forwarded-port': '443',
          'x-forwarded-proto': 'HTTPS',
          'x-real-ip': '6.6.6.6',
        });
        expect(seen['x-forwarded-for']).toBe('6.6.6.6, 192.0.2.7, 10.1.2.3, 10.9.9.9, 127.0.0.1');
        expect(seen['x-real-ip']).toBe('192.0.2.7');
        expect(seen['x-forwarded-host']).toBe('www.example');
        expect(seen['x-forwarded-port']).toBe('443');
        expect(seen['x-forwarded-proto']).toBe('https');
        expect(seen).not.toHaveProperty('forwarded');
      });

      it('is whoever wrote the first entry that is no address', async () => {
        const seen = await seenBy(['127.0.0.1', '10.0.0.0/8'], {
          'x-forwarded-for': '192.0.2.7, unknown, 10.1.2.3',
        });
        expect(seen['x-real-ip']).toBe('10.1.2.3');
      });

      it('is read from Forwarded where a trusted proxy speaks that, which is then continued', async () => {
        const seen = await seenBy(['127.0.0.1'], {
          forwarded: 'for="[2001:db8::7]:4711";proto=https;by="a,b", For=10.0.0.1',
        });
        expect(seen['x-real-ip']).toBe('10.0.0.1');
        expect(seen['x-forwarded-for']).toBe('2001:db8::7, 10.0.0.1, 127.0.0.1');
        expect(seen['forwarded']).toBe(
          'for="[2001:db8::7]:4711";proto=https;by="a,b", For=10.0.0.1, for=127.0.0.1;proto=http',
        );
      });

      it('is not looked for in a Forwarded that a trusted proxy may only have passed on', async () => {
        const seen = await seenBy(['127.0.0.1'], {
          forwarded: 'for=6.6.6.6',
          'x-forwarded-for': '192.0.2.7',
        });
        expect(seen['x-real-ip']).toBe('192.0.2.7');
        expect(seen).not.toHaveProperty('forwarded');
      });

      it('says nothing about itself, under no spelling', async () => {
        const seen = await seenBy(['10.0.0.0/8'], {
          'x-forwarded-for': '6.6.6.6',
          'x-real-ip': '6.6.6.6',
          X_Real_IP: '6.6.6.6',
          'X-Forwarded_Host': 'evil.example',
          'x-forwarded-host': 'evil.example',
          'x-cf-process-instance': 'guid:0',
          'x-cf-other-instance': 'guid:0',
          X_CF_App_Instance: 'guid:0',
          'x-forwarded-client-cert': 'forged',
          'x-sluice-anything': '1',
          'x-cf-instance': 'an ordinary field',
        });
        expect(seen['x-real-ip']).toBe('127.0.0.1');
        expect(seen['x-forwarded-for']).toBe('127.0.0.1');
        expect(JSON.stringify(seen)).not.toMatch(/6\.6\.6\.6|evil|guid|forged|sluice-anything/);
        expect(seen['x-cf-instance']).toBe('an ordinary field');
      });
    });

    describe('ids', () => {
      it('gives every request one of its own, tells the origin and the client', async () => {
        const { port } = await gatewayTo(await echo({ 'x-request-id': 'from the origin' }));
        const ids = new Set<string>();
        for (let i = 0; i < 5; i += 1) {
          const { body, headers, rawHeaders } = await ask(port, { headers: { 'x-request-id': 'forged' } });
          const id = JSON.parse(body)['x-request-id'];
          expect(id).toMatch(/^[0-9a-f]{20}$/);
          expect(headers['x-request-id']).toBe(id);
          expect(rawHeaders.filter((text) => /^x-request-id$/i.test(text))).toHaveLength(1);
          ids.add(id);
        }
        expect(ids.size).toBe(5);
      });

      it('puts it on answers of our own too', async () => {
        const { port } = await startGateway(cleanup, createWire, tableOf({ a: { urls: [] } }));
        const { status, headers } = await ask(port);
        expect(status).toBe(503);
        expect(headers['x-request-id']).toMatch(/^[0-9a-f]{20}$/);
      });

      it('keeps a sane one of a trusted proxy', async () => {
        const { port } = await gatewayTo(await echo(), ['127.0.0.1']);
        const asked = async (id: string): Promise<string> =>
          JSON.parse((await ask(port, { headers: { 'x-request-id': id } })).body)['x-request-id'];
        expect(await asked('7f6a-1:2/3=')).toBe('7f6a-1:2/3=');
        expect(await asked('a b')).toMatch(/^[0-9a-f]{20}$/);
        expect(await asked('x'.repeat(200))).toMatch(/^[0-9a-f]{20}$/);
      });

      it('continues a trace as its new parent', async () => {
        const seen = await seenBy([], { traceparent: TRACEPARENT, tracestate: 'a=1,b=2' });
        expect(seen['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
        expect(seen['traceparent']).not.toBe(TRACEPARENT);
        expect(seen['tracestate']).toBe('a=1,b=2');
      });

      it.each([
        'nonsense',
        TRACEPARENT.toUpperCase(),
        `00-${'0'.repeat(32)}-${'c3d4'.repeat(4)}-01`,
        `00-${TRACE}-${'0'.repeat(16)}-01`,
        `ff-${TRACE}-${'c3d4'.repeat(4)}-01`,
        `${TRACEPARENT}-more`,
      ])('begins a new trace, not sampled, instead of %s', async (traceparent) => {
        const seen = await seenBy([], { traceparent, tracestate: 'a=1' });
        expect(seen['traceparent']).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
        expect(seen['traceparent']).not.toContain(TRACE);
        expect(seen).not.toHaveProperty('tracestate');
      });

      it('begins a new trace when there are two to choose from', async () => {
        const { port } = await gatewayTo(await echo());
        const line = `traceparent: ${TRACEPARENT}\r\n`;
        const answer = await askRaw(
          port,
          `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}${line}\r\n`,
        );
        expect(answer).toMatch(/"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"/);
        expect(answer).not.toContain(TRACE);
      });
    });

    describe('loops', () => {
      it('answers 508 to a request it has had before, and serves what came through others', async () => {
        const { port } = await gatewayTo(await echo());
        const { body } = await ask(port, { headers: { via: '1.0 cache, 1.1 sluice-00000000 (x)' } });
        const { via } = JSON.parse(body);
        expect(via).toMatch(/^1\.0 cache, 1\.1 sluice-00000000 \(x\), 1\.1 sluice-[0-9a-f]{8}$/);
        expect((await ask(port, { headers: { via } })).status).toBe(508);
        expect((await ask(port, { headers: { via: ['1.0 cache', via] } })).status).toBe(508);
      });

      it('stops a request that really goes round', async () => {
        const first = await gatewayTo(await echo());
        first.gateway.swap(tableOf({ a: { urls: [`http://127.0.0.1:${first.port}`] } }));
        expect((await ask(first.port)).status).toBe(508);
      });

      it('stops at ten gateways of this kind', async () => {
        const { port } = await gatewayTo(await echo());
        const through = (count: number): string =>
          Array.from({ length: count }, (_, i) => `1.1 sluice-0000000${i % 10}`).join(', ');
        expect((await ask(port, { headers: { via: through(9) } })).status).toBe(200);
        expect((await ask(port, { headers: { via: through(10) } })).status).toBe(508);
      });

      it('has one name for all that share a key', async () => {
        const origin = await echo();
        const viaWith = async (affinityKey: string): Promise<string> => {
          const table = tableOf({ a: { urls: [origin.url] } });
          const { port } = await startGateway(cleanup, createWire, table, () => ({ affinityKey }));
          return JSON.parse((await ask(port)).body).via;
        };
        const one = await viaWith('secret one');
        expect(await viaWith('secret one')).toBe(one);
        expect(await viaWith('secret two')).not.toBe(one);
      });
    });

    describe("the cookies of platforms' routers", () => {
      const vcap = '__VCAP_ID__=1234; Path=/; HttpOnly';
      const hashed = `${'0a'.repeat(16)}=${'1b'.repeat(16)}; path=/; HttpOnly; Secure; SameSite=None`;

      it('come to the client under a name that says whose they are', async () => {
        const origin = await echo({ 'set-cookie': ['JSESSIONID=1; Path=/', vcap, hashed] });
        const table = tableOf({ 'cf-eu': { urls: [origin.url] } });
        const { port } = await startGateway(cleanup, createWire, table);
        expect((await ask(port)).headers['set-cookie']).toEqual([
          'JSESSIONID=1; Path=/',
          `sluice.cf-eu.${vcap}`,
          `sluice.cf-eu.${hashed}`,
        ]);
      });

      it('go back only to their platform', async () => {
        const origin = await echo();
        const table = tableOf({ 'cf-eu': { urls: [origin.url] } });
        const { port } = await startGateway(cleanup, createWire, table);
        const sent = async (cookie: string): Promise<string | undefined> =>
          JSON.parse((await ask(port, { headers: { cookie } })).body).cookie;
        expect(await sent('a=1; sluice.cf-eu.__VCAP_ID__=12; sluice.ocp.0a0a=9; b=2')).toBe(
          'a=1; __VCAP_ID__=12; b=2',
        );
        expect(await sent('__VCAP_ID__=chosen; a=1')).toBe('a=1');
        expect(await sent('sluice.ocp.0a0a=9')).toBeUndefined();
        expect(await sent('a=1;b="x; y"')).toBe('a=1;b="x; y"');
      });
    });

    it('puts the public host back wherever an answer names the platform', async () => {
      const origin = await echo({
        location: 'https://shop.cf.test:443/next',
        'content-location': '//shop.cf.test/this',
        refresh: '5; URL="https://SHOP.cf.test/later"',
        'set-cookie': ['sid=1; Domain=cf.test; Path=/', 'other=1; Domain=elsewhere.test'],
        link: '<https://shop.cf.test/style.css>; rel=preload',
      });
      const table = tableOf(
        { a: { urls: [origin.url], hostHeader: 'shop.cf.test' } },
        { publicHost: 'rewrite' },
      );
      const { port } = await startGateway(cleanup, createWire, table, () => ({
        trustedProxies: ['127.0.0.1'],
      }));
      const asked = (headers: Record<string, string>) => ask(port, { headers });
      const near = await asked({ host: '127.0.0.1:8080' });
      expect(near.headers.location).toBe('http://127.0.0.1:8080/next');
      expect(near.headers['set-cookie']).toEqual(['sid=1; Path=/', 'other=1; Domain=elsewhere.test']);
      const far = await asked({
        host: 'in.test',
        'x-forwarded-host': 'www.example',
        'x-forwarded-proto': 'https',
      });
      expect(far.headers.location).toBe('https://www.example/next');
      expect(far.headers['content-location']).toBe('https://www.example/this');
      expect(far.headers['refresh']).toBe('5; URL="https://www.example/later"');
      expect(far.headers['set-cookie']).toEqual([
        'sid=1; Domain=www.example; Path=/',
        'other=1; Domain=elsewhere.test',
      ]);
      // A field with many meanings stays what the application said.
      expect(far.headers['link']).toBe('<https://shop.cf.test/style.css>; rel=preload');
    });
  });
}
