import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, send, shop, startFoundation } from './foundation.ts';

describe('the local router', () => {
  let foundation: Foundation;
  let app: Json;
  beforeAll(async () => {
    foundation = await startFoundation();
    app = await foundation.push('shop', shop('v1'), 2);
  });
  afterAll(() => foundation.close());

  it('answers unknown hosts as gorouter does', async () => {
    const answer = await foundation.get('nobody');
    expect(answer.status).toBe(404);
    expect(answer.text).toBe("404 Not Found: Requested route ('nobody.apps.cf.localhost') does not exist.\n");
    expect(answer.headers).toMatchObject({
      'x-cf-routererror': 'unknown_route',
      'cache-control': 'no-cache, no-store',
    });
    expect(answer.headers).not.toHaveProperty('x-vcap-request-id');
  });

  it('takes turns over the instances, whatever port the Host names', async () => {
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      const { body } = await send('GET', foundation.cf.routerUrl, { host: 'SHOP.apps.cf.localhost:8080' });
      seen.push(body.index);
    }
    expect(seen.toSorted()).toEqual(['0', '0', '1', '1']);
  });

  it('tells the app who answers and whom it serves', async () => {
    const { body } = await foundation.get('shop', '/headers', {
      'x-forwarded-for': '10.1.1.1',
      'x-forwarded-proto': 'https',
      'x-vcap-request-id': 'mine',
    });
    expect(body).toMatchObject({
      host: 'shop.apps.cf.localhost',
      'x-forwarded-for': '10.1.1.1, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-cf-applicationid': app.guid,
      'x-cf-instanceindex': expect.stringMatching(/^[01]$/),
      'x-cf-instanceid': expect.any(String),
    });
    expect(body['x-vcap-request-id']).not.toBe('mine');
  });

  it('reaches one instance by X-CF-APP-INSTANCE and refuses one that is not there', async () => {
    for (let i = 0; i < 3; i++) {
      const { body } = await foundation.get('shop', '/', { 'x-cf-app-instance': `${app.guid}:1` });
      expect(body.index).toBe('1');
    }
    const gone = await foundation.get('shop', '/', { 'x-cf-app-instance': `${app.guid}:7` });
    expect([gone.status, gone.headers['x-cf-routererror']]).toEqual([400, 'unknown_route']);
    expect(gone.text).toContain(`Requested instance ('7') with guid ('${app.guid}') does not exist`);
    const bad = await foundation.get('shop', '/', { 'x-cf-app-instance': 'shop' });
    expect([bad.status, bad.headers['x-cf-routererror']]).toEqual([400, 'invalid_cf_app_instance_header']);
  });

  it('reaches instances of one process by X-CF-PROCESS-INSTANCE', async () => {
    const one = await foundation.get('shop', '/', { 'x-cf-process-instance': `${app.guid}:1` });
    expect(one.body.index).toBe('1');
    const any = await foundation.get('shop', '/', { 'x-cf-process-instance': app.guid });
    expect(any.status).toBe(200);
    const bad = await foundation.get('shop', '/', { 'x-cf-process-instance': 'shop:x' });
    expect([bad.status, bad.headers['x-cf-routererror'], bad.text]).toEqual([
      400,
      'invalid_cf_process_instance_header',
      '400 Bad Request: Invalid X-CF-Process-Instance Header\n',
    ]);
    const gone = await foundation.get('shop', '/', { 'x-cf-process-instance': randomUUID() });
    expect([gone.status, gone.headers['x-cf-routererror']]).toEqual([400, 'unknown_route']);
  });

  it('keeps a session on its instance, and gives one to another when that is gone', async () => {
    const begun = await foundation.get('shop', '/session');
    const set = (begun.headers['set-cookie'] ?? []).find((one) => one.startsWith('__VCAP_ID__='));
    expect(set).toMatch(/^__VCAP_ID__=[0-9a-f-]{36}; Path=\/; HttpOnly; Secure$/);
    const cookie = `JSESSIONID=abc; ${set?.split(';')[0]}`;
    for (let i = 0; i < 4; i++) {
      const { body, headers } = await foundation.get('shop', '/', { cookie });
      expect([body.index, headers['set-cookie']]).toEqual([begun.body.index, undefined]);
    }
    const elsewhere = await foundation.get('shop', '/', {
      cookie: 'JSESSIONID=abc; __VCAP_ID__=of-another-foundation',
    });
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.headers['set-cookie']?.[0]).toMatch(/^__VCAP_ID__=[0-9a-f-]{36}; Path=\/; HttpOnly$/);
  });

  it('marks a semicolon in the query on an answer that is fine', async () => {
    const answer = await foundation.get('shop', '/?a=1;b=2');
    expect([answer.status, answer.headers['x-cf-routererror']]).toEqual([200, 'deprecated-semicolon-params']);
  });

  it('refuses heads beyond a megabyte and closes after Expect: 100-continue', async () => {
    const host = 'Host: shop.apps.cf.localhost';
    const huge = await exchange(`GET / HTTP/1.1\r\n${host}\r\nX-Large: ${'x'.repeat(1_100_000)}\r\n\r\n`);
    expect(huge).toMatch(/^HTTP\/1\.1 431 /);
    expect(huge).toContain('X-Cf-Routererror: max-request-size-exceeded');
    const expecting = await exchange(
      `POST /echo HTTP/1.1\r\n${host}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
    );
    expect(expecting).toMatch(/Connection: close\r\n[\s\S]*hi/i);
  });

  it('calls a request without a Host what it is', async () => {
    const raw = await exchange('GET / HTTP/1.0\r\n\r\n');
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    expect(raw).toContain('X-Cf-Routererror: empty_host');
    expect(raw).toContain('400 Bad Request: Request had empty Host header');
  });

  it('prefers the longest path, at segment borders', async () => {
    const admin = await foundation.push('admin', shop('admin'));
    await foundation.mapRoute(admin.guid, 'shop', '/admin');
    await foundation.until('the path', async () => {
      const { body } = await foundation.get('shop', '/admin/users');
      return body.version === 'admin';
    });
    expect((await foundation.get('shop', '/administrator')).body.version).toBe('v1');
    expect((await foundation.get('shop', '/admin?x=1')).body.version).toBe('admin');
  });

  it('streams bodies both ways, chunked and counted', async () => {
    const big = 'x'.repeat(300_000);
    const host = { host: 'shop.apps.cf.localhost' };
    const counted = await send('POST', `${foundation.cf.routerUrl}/echo`, host, big);
    expect(counted.text).toBe(big);
    const raw = await exchange(
      `POST /echo HTTP/1.1\r\nHost: shop.apps.cf.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '5\r\nhello\r\n0\r\n\r\n',
    );
    expect(raw).toContain('hello');
  });

  it('opens WebSockets and echoes through them', async () => {
    const raw = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(foundation.cf.routerUrl).port), '127.0.0.1', () => {
        socket.write(
          'GET /ws HTTP/1.1\r\nHost: shop.apps.cf.localhost\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
        );
      });
      let seen = '';
      let sent = false;
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        seen += chunk.toString();
        if (!sent && seen.includes('\r\n\r\n')) {
          sent = true;
          socket.write('ping');
        }
        if (seen.endsWith('ping')) {
          socket.destroy();
          resolve(seen);
        }
      });
    });
    expect(raw).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('refuses a WebSocket to nobody with the same words', async () => {
    const raw = await exchange(
      'GET /ws HTTP/1.1\r\nHost: nobody.x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
    );
    expect(raw).toMatch(/^HTTP\/1\.1 404 /);
    expect(raw).toContain('unknown_route');
  });

  it('tries another instance when one cannot be dialled, and the cell replaces that one', async () => {
    const before = await foundation.call('GET', `/v3/apps/${app.guid}/processes/web/stats`);
    await foundation.get('shop', '/close', { 'x-cf-app-instance': `${app.guid}:0` });
    for (let i = 0; i < 4; i++) expect((await foundation.get('shop')).status).toBe(200);
    const host = { host: 'shop.apps.cf.localhost' };
    for (let i = 0; i < 2; i++) {
      const posted = await send('POST', `${foundation.cf.routerUrl}/echo`, host, 'once');
      expect(posted.text).toBe('once');
    }
    await foundation.until('a healthy successor', async () => {
      const { body } = await foundation.call('GET', `/v3/apps/${app.guid}/processes/web/stats`);
      const [first] = body.resources;
      return first.routable && first.instance_guid !== before.body.resources[0].instance_guid;
    });
  });

  it('answers its own health check without asking any app', async () => {
    const answer = await send('GET', foundation.cf.routerUrl, {
      host: 'nobody',
      'user-agent': 'HTTP-Monitor/1.1',
    });
    expect([answer.status, answer.text]).toEqual([200, 'ok\n']);
  });

  function exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(foundation.cf.routerUrl).port), '127.0.0.1', () => {
        socket.write(text);
      });
      let seen = '';
      socket.on('data', (chunk) => {
        seen += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(seen));
    });
  }
});
