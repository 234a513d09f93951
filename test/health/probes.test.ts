import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_HEALTH, type HealthSettings } from '../../src/core/settings.ts';
import { createProbe } from '../../src/health/probes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';

const opened: net.Server[] = [];
const sockets = new Set<net.Socket>();
const probe = createProbe({ clock: systemClock });
const HEALTH: HealthSettings = { ...DEFAULT_HEALTH, path: '/healthz', timeoutMs: 300 };

async function listen<T extends net.Server>(server: T): Promise<{ server: T; url: string }> {
  opened.push(server);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function answering(
  status: number,
  headers: http.OutgoingHttpHeaders = {},
  body = '',
): Promise<{ url: string; seen: http.IncomingMessage[] }> {
  const seen: http.IncomingMessage[] = [];
  const { url } = await listen(
    http.createServer((request, response) => {
      seen.push(request);
      response.writeHead(status, headers).end(body);
    }),
  );
  return { url, seen };
}

function asked(url: string, health: Partial<HealthSettings> = {}) {
  return probe({ url, hostHeader: 'shop.cf.test' }, { ...HEALTH, ...health });
}

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of opened.splice(0)) server.close();
});

describe('an HTTP probe', () => {
  it('asks the path with the Host of the target, as itself', async () => {
    const { url, seen } = await answering(200);
    expect(await asked(url)).toMatchObject({ probe: 'http', ok: true, detail: 'ok' });
    expect(seen[0]?.url).toBe('/healthz');
    expect(seen[0]?.headers.host).toBe('shop.cf.test');
    expect(seen[0]?.headers['user-agent']).toBe('sluice-probe');
  });

  it('opens a connection of its own each time', async () => {
    const { url, seen } = await answering(200);
    await asked(url);
    await asked(url);
    const ports = seen.map(({ socket }) => socket.remotePort);
    expect(seen).toHaveLength(2);
    expect(new Set(ports.filter((port) => port !== undefined)).size).not.toBe(1);
    expect(seen[0]?.headers.connection).toBe('close');
  });

  it.each([
    [
      'its router does not know the route',
      404,
      { 'X-Cf-RouterError': 'unknown_route' },
      'router unknown_route',
    ],
    [
      'its router shows its own page',
      503,
      {
        pragma: 'no-cache',
        'cache-control': 'private, max-age=0, no-cache, no-store',
        'content-type': 'text/html',
      },
      'router 503',
    ],
    ['the application is not well', 503, { 'content-type': 'text/html' }, 'status 503'],
    ['the path is not there', 404, {}, 'status 404'],
  ])('fails when %s', async (_name, status, headers, detail) => {
    const { url } = await answering(status, headers);
    expect(await asked(url)).toMatchObject({ ok: false, detail });
  });

  it('accepts what the rule accepts', async () => {
    const { url } = await answering(404);
    expect(await asked(url, { status: { from: 200, to: 499 } })).toMatchObject({ ok: true });
  });

  it('does not follow redirects: they are an answer', async () => {
    const { url, seen } = await answering(302, { location: 'http://127.0.0.1:1/' });
    expect(await asked(url)).toMatchObject({ ok: true });
    expect(seen).toHaveLength(1);
  });

  it('reads the release from a header', async () => {
    const { url } = await answering(200, { 'X-Release': 'r-0123456789' });
    expect(await asked(url, { release: { header: 'x-release' } })).toMatchObject({ release: 'r-0123456789' });
  });

  it('reads the release from a field of the JSON body', async () => {
    const { url } = await answering(200, {}, '{"build":{"release":"r-0123456789"}}');
    expect(await asked(url, { release: { json: 'build.release' } })).toMatchObject({
      release: 'r-0123456789',
    });
  });

  it.each([
    ['no JSON', 'fine'],
    ['another shape', '{"build":"r-0123456789"}'],
    ['something that is no name', '{"build":{"release":"two words"}}'],
  ])('names no release when the body is %s', async (_name, body) => {
    const { url } = await answering(200, {}, body);
    const result = await asked(url, { release: { json: 'build.release' } });
    expect(result.ok).toBe(true);
    expect(result).not.toHaveProperty('release');
  });

  it('knows a refused connection', async () => {
    const { server, url } = await listen(net.createServer());
    server.close();
    await once(server, 'close');
    expect(await asked(url)).toMatchObject({ ok: false, detail: 'refused' });
  });

  it('knows a router that accepts and never answers', async () => {
    const { url } = await listen(net.createServer());
    const result = await asked(url);
    expect(result).toMatchObject({ ok: false, detail: 'timeout' });
    expect(result.latencyMs).toBeLessThan(1_000);
  });

  it('knows a body that never ends where it needs the body', async () => {
    const { url } = await listen(
      http.createServer((_request, response) => void response.writeHead(200).write('{')),
    );
    expect(await asked(url, { release: { json: 'release' } })).toMatchObject({
      ok: false,
      detail: 'timeout',
    });
    expect(await asked(url)).toMatchObject({ ok: true });
  });

  it('knows a connection cut off', async () => {
    const { url } = await listen(
      net.createServer((socket) => socket.on('data', () => socket.resetAndDestroy())),
    );
    expect(await asked(url)).toMatchObject({ ok: false, detail: 'reset' });
  });

  it('knows what is not HTTP', async () => {
    const { url } = await listen(net.createServer((socket) => void socket.write('SSH-2.0-OpenSSH\r\n')));
    expect(await asked(url)).toMatchObject({ ok: false, detail: 'not HTTP' });
  });
});

describe('what an HTTP probe sends and expects', () => {
  it('sends the fields of the rule, which replace its own', async () => {
    const { url, seen } = await answering(200);
    await asked(url, { headers: { authorization: 'Bearer x', 'user-agent': 'ours' } });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      'user-agent': 'ours',
      host: 'shop.cf.test',
    });
  });

  it.each([
    ['a text it holds', { contains: 'all is well' }, true],
    ['a text it lacks', { contains: 'wrong' }, false],
    ['an expression that finds something', { matches: 'all\\s+is' }, true],
    ['an expression that finds nothing', { matches: '^is' }, false],
  ])('compares the body with %s', async (_name, body, ok) => {
    const { url } = await answering(200, {}, 'all is well');
    expect(await asked(url, { body })).toMatchObject({ ok, detail: ok ? 'ok' : 'body does not match' });
  });

  it.each([
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nall\r\n8\r\n is well\r\n0\r\n\r\n',
    ],
    ['until the end', 'HTTP/1.0 200 OK\r\n\r\nall is well'],
    [
      'after an interim answer',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nall is well',
    ],
  ])('reads a body that comes %s', async (_name, bytes) => {
    const { url } = await listen(
      net.createServer((socket) => void socket.once('data', () => socket.end(bytes))),
    );
    expect(await asked(url, { body: { contains: 'all is well' } })).toMatchObject({ ok: true });
  });

  it('knows a connection that is closed without an answer', async () => {
    const { url } = await listen(net.createServer((socket) => void socket.once('data', () => socket.end())));
    expect(await asked(url)).toMatchObject({ ok: false, detail: 'reset' });
  });

  it('sends no host name that would say more than a name', async () => {
    const { url, seen } = await answering(200);
    const result = await probe({ url, hostHeader: 'a\r\nx-more: 1' }, HEALTH);
    expect(result).toMatchObject({ ok: false, detail: 'no host name' });
    expect(seen).toHaveLength(0);
  });
});

describe('a control probe', () => {
  it('asks for a host that nobody can know', async () => {
    const { url, seen } = await answering(404, { 'X-Cf-RouterError': 'unknown_route' });
    const result = await probe({ url, hostHeader: 'shop.cf.test' }, HEALTH, 'control');
    expect(result).toMatchObject({ probe: 'control', ok: true, detail: 'ok' });
    expect(seen[0]?.headers.host).toBe('sluice-control.invalid');
  });

  it.each([
    [
      503,
      true,
      {
        pragma: 'no-cache',
        'cache-control': 'private, max-age=0, no-cache, no-store',
        'content-type': 'text/html',
      },
    ],
    [404, true, {}],
    [502, false, {}],
    [503, false, {}],
  ])('takes %i for a living router: %s', async (status, ok, headers) => {
    const { url } = await answering(status, headers);
    expect(await probe({ url, hostHeader: undefined }, HEALTH, 'control')).toMatchObject({ ok });
  });

  it('knows a router that accepts and says nothing', async () => {
    const { url } = await listen(net.createServer());
    const result = await probe({ url, hostHeader: undefined }, HEALTH, 'control');
    expect(result).toMatchObject({ ok: false, detail: 'timeout' });
  });
});

describe('a deep probe', () => {
  it('asks its own path and takes its own time', async () => {
    const { url, seen } = await answering(503);
    const deep = { path: '/readyz', everyMs: 1_000, timeoutMs: 1_000 };
    const result = await probe({ url, hostHeader: undefined }, { ...HEALTH, deep }, 'deep');
    expect(result).toMatchObject({ probe: 'deep', ok: false, detail: 'status 503' });
    expect(seen[0]?.url).toBe('/readyz');
  });
});

describe('a probe over TLS', () => {
  it.each([
    ['holds', 'localhost', true, 'ok'],
    ['is for another name', 'elsewhere.test', false, 'tls'],
  ])('tells the days that are left when the certificate %s', async (_name, sni, ok, detail) => {
    const { key, certificate: cert } = selfSignedCertificate(['localhost']);
    const { server } = await listen(
      https.createServer({ key, cert }, (_request, response) => response.end()),
    );
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const result = await probe(
      { url, hostHeader: undefined, sni, ca: cert },
      { ...HEALTH, timeoutMs: 5_000 },
    );
    expect(result).toMatchObject({ ok, detail });
    expect(result.certificateDays).toBeGreaterThan(0);
  });
});

describe('a TCP probe', () => {
  it('is made where the rule has no path', async () => {
    const { server, url } = await listen(net.createServer());
    expect(await asked(url, { path: undefined })).toMatchObject({ probe: 'tcp', ok: true, detail: 'ok' });
    server.close();
    await once(server, 'close');
    expect(await asked(url, { path: undefined })).toMatchObject({
      probe: 'tcp',
      ok: false,
      detail: 'refused',
    });
  });
});
