import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../../src/lib/clock.ts';
import {
  type Answer,
  type Api,
  apply,
  call,
  client,
  deployApp,
  HOST,
  paths,
  ROUTE,
  startCluster,
  type TestCluster,
  until,
} from './cluster.ts';

const RECORDED_503 = join(
  import.meta.dirname,
  '../../../../../shared/contracts/openshift/error-page-503.http',
);

describe('the router of the local OpenShift', () => {
  let cluster: TestCluster;
  let api: Api;
  let port: number;

  beforeAll(async () => {
    cluster = await startCluster();
    api = client(cluster.openshift);
    await deployApp(cluster.openshift, api);
    port = Number(new URL(cluster.openshift.routerUrl).port);
  });
  afterAll(() => cluster.close());

  function get(path = '/', headers: Record<string, string> = {}, host = HOST): Promise<Answer> {
    return call(`${cluster.openshift.routerUrl}${path}`, { headers: { host, ...headers } });
  }

  /** Sends bytes and resolves with all that came back until the other side closed. */
  function exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (part) => (answer += part.toString('latin1')));
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
      socket.write(text);
    });
  }

  function firstBytes(socket: Socket, withinMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const stop = systemClock.after(withinMs, () => resolve(undefined));
      socket.once('data', (part) => {
        stop();
        resolve(part.toString('latin1'));
      });
    });
  }

  it('answers a host nobody has with the 503 page of HTTP/1.0, head as the real one', async () => {
    const answer = await exchange('GET / HTTP/1.1\r\nHost: nobody.apps.ocp.localhost\r\n\r\n');
    const head = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
    expect(head[0]).toBe('HTTP/1.0 503 Service Unavailable');
    expect(answer).toContain('<h1>Application is not available</h1>');
    expect(head.join('\n').toLowerCase()).not.toContain('set-cookie');
    if (!existsSync(RECORDED_503)) return console.log('skipped the comparison: no recorded page here');
    const recorded = readFileSync(RECORDED_503, 'latin1');
    expect(head).toEqual(recorded.slice(0, recorded.search(/\r?\n\r?\n/)).split(/\r?\n/));
  });

  it('answers HEAD with the same head and no body', async () => {
    const answer = await exchange('HEAD / HTTP/1.1\r\nHost: nobody.apps.ocp.localhost\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.0 503 /);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  it('sets a cookie named after the route that holds a client to its pod', async () => {
    const first = await get();
    const [cookie = ''] = first.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^[0-9a-f]{32}=[0-9a-f]{32}; path=\/; HttpOnly$/);
    const pair = cookie.slice(0, cookie.indexOf(';'));
    for (let count = 0; count < 6; count++) {
      const again = await get('/', { cookie: `other=1; ${pair}` });
      expect(again.body.host).toBe(first.body.host);
      expect(again.headers['set-cookie']).toBeUndefined();
    }
    const hosts = new Set<string>();
    for (let count = 0; count < 20; count++) hosts.add((await get()).body.host);
    expect(hosts.size).toBe(2);
  });

  it('appends its own forwarded lines after those that came', async () => {
    const { body } = await get('/', { 'X-Forwarded-Proto': 'https', Proxy: 'evil' });
    const lines: [string, string][] = [];
    for (let index = 0; index < body.raw.length; index += 2)
      lines.push([body.raw[index].toLowerCase(), body.raw[index + 1]]);
    const values = (name: string): string[] =>
      lines.filter(([found]) => found === name).map(([, value]) => value);
    expect(values('x-forwarded-proto')).toEqual(['https', 'http']);
    expect(values('x-forwarded-host')).toEqual([HOST]);
    expect(values('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(values('forwarded')).toEqual([`for=127.0.0.1;host=${HOST};proto=http`]);
    expect(values('proxy')).toEqual([]);
  });

  it('streams bodies of known and unknown length', async () => {
    const big = Buffer.alloc(300_000, 'x');
    const sent = await call(cluster.openshift.routerUrl, {
      method: 'POST',
      headers: { host: HOST },
      body: big,
    });
    expect(sent.body.body).toHaveLength(300_000);
    const chunked = await call(cluster.openshift.routerUrl, {
      method: 'POST',
      headers: { host: HOST, 'transfer-encoding': 'chunked' },
      body: big,
    });
    expect(chunked.body.body).toHaveLength(300_000);
  });

  it('answers 502 when the application closes without a word, 504 when it takes too long', async () => {
    const broken = await get('/cut');
    expect([broken.status, broken.text.length, broken.headers['set-cookie']]).toEqual([502, 107, undefined]);
    await apply(api, paths.routes, {
      ...ROUTE,
      metadata: { name: 'app', annotations: { 'haproxy.router.openshift.io/timeout': '100ms' } },
    });
    await reload();
    const late = await get('/hang');
    expect([late.status, late.text.length]).toEqual([504, 92]);
    await apply(api, paths.routes, { ...ROUTE, metadata: { name: 'app', annotations: {} } });
  });

  it('carries WebSockets, also over a reload', async () => {
    const key = Buffer.from('0123456789abcdef').toString('base64');
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const head = (await firstBytes(socket, 2_000)) ?? '';
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain(
      createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'),
    );
    socket.write('ping');
    expect(await firstBytes(socket, 2_000)).toBe('ping');
    await reload();
    socket.write('still here');
    expect(await firstBytes(socket, 2_000)).toBe('still here');
    socket.destroy();
  });

  let reloads = 0;
  /** Makes the router reload and waits until it has: a route of its own goes live. */
  async function reload(): Promise<void> {
    reloads += 1;
    const host = `reload-${reloads}.apps.ocp.localhost`;
    await apply(api, paths.routes, {
      ...ROUTE,
      metadata: { name: `reload-${reloads}` },
      spec: { ...ROUTE.spec, host },
    });
    await until(
      () => get('/', {}, host),
      (answer) => answer.status === 200,
    );
  }

  it('closes idle connections when it reloads', async () => {
    const agent = new Agent({ keepAlive: true });
    const socket = await new Promise<Socket>((resolve) => {
      const outgoing = request(
        cluster.openshift.routerUrl,
        { agent, headers: { host: HOST } },
        (response) => {
          const used = response.socket;
          response.resume();
          response.on('end', () => resolve(used));
        },
      );
      outgoing.end();
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await reload();
    await closed;
    agent.destroy();
  });

  it('is admitted before it is served, and a younger claim of the same host never is', async () => {
    const host = 'claimed.apps.ocp.localhost';
    await apply(api, paths.routes, { ...ROUTE, metadata: { name: 'first' }, spec: { ...ROUTE.spec, host } });
    await until(
      () => get('/', {}, host),
      (answer) => answer.status === 200,
    );
    expect((await api(`${paths.routes}/first`)).body.status.ingress[0].conditions[0].status).toBe('True');
    await systemClock.sleep(1_100);
    await apply(api, paths.routes, { ...ROUTE, metadata: { name: 'second' }, spec: { ...ROUTE.spec, host } });
    const refused = await until(
      () => api(`${paths.routes}/second`),
      (answer) => answer.body.status.ingress !== undefined,
    );
    expect(refused.body.status.ingress[0].conditions[0]).toMatchObject({
      status: 'False',
      reason: 'HostAlreadyClaimed',
    });
  });

  it('refuses connections when down, resets open ones, and comes back on the same port', async () => {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const reset = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    cluster.openshift.setFault('router-down', true);
    await reset;
    await expect(get()).rejects.toThrow('ECONNREFUSED');
    cluster.openshift.setFault('router-down', false);
    expect((await until(get, (answer) => answer.status === 200)).status).toBe(200);
  });

  it('frozen, accepts and never answers, also on open connections, until it thaws', async () => {
    const ask = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
    const open = connect(port, '127.0.0.1');
    open.write(ask);
    expect(await firstBytes(open, 2_000)).toMatch(/^HTTP\/1\.1 200/);
    cluster.openshift.setFault('router-frozen', true);
    const fresh = connect(port, '127.0.0.1');
    await new Promise((resolve) => fresh.once('connect', resolve));
    fresh.write(ask);
    open.write(ask);
    expect(await Promise.all([firstBytes(fresh, 250), firstBytes(open, 250)])).toEqual([
      undefined,
      undefined,
    ]);
    const thawed = Promise.all([firstBytes(fresh, 2_000), firstBytes(open, 2_000)]);
    cluster.openshift.setFault('router-frozen', false);
    for (const answer of await thawed) expect(answer).toMatch(/^HTTP\/1\.1 200/);
    open.destroy();
    fresh.destroy();
  });

  it('goes on serving while the API is down', async () => {
    cluster.openshift.setFault('api-down', true);
    await until(
      () => api('/readyz'),
      (answer) => answer.status === 0,
    );
    expect((await get()).status).toBe(200);
    cluster.openshift.setFault('api-down', false);
    await until(
      () => api('/readyz'),
      (answer) => answer.status === 200,
    );
  });
});
