import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { startLoad } from '../../src/app/demo/load.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { type Serving, serveAsWritten } from '../support/cli.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';
import { childrenOf, until } from '../support/processes.ts';

/** What the file says; a test changes some of it. */
interface Written {
  readonly listen: string;
  readonly gateway: string;
  readonly origin: string;
  readonly application: string;
}

let dir: string;
let origin: OriginServer;
let other: OriginServer;
let serving: Serving;
let written: Written;

const oldPair = selfSignedCertificate(['shop.example.com']);
const newPair = selfSignedCertificate(['shop.example.com']);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-reload-'));
  origin = await originServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('hello\n'));
  });
  other = await originServer((_incoming, response) => response.end('other\n'));
  await writePair('tls-1', oldPair);
  await symlink('tls-1', join(dir, 'tls'));
  await write({
    listen:
      '[{ host: 127.0.0.1, port: 0, tls: [{ cert: tls/cert.pem, key: tls/key.pem }] }, { host: 127.0.0.1, port: 0 }]',
    gateway: rest(),
    origin: origin.url,
    application: '',
  });
  serving = await serveAsWritten([], dir);
  await until('it serves', async () => (await ask(plain())).status === 200);
});

afterAll(async () => {
  await serving.stop();
  await origin.close();
  await other.close();
  await rm(dir, { recursive: true, force: true });
});

/** As careful tools write: beside it, then over it. */
async function replaceFile(name: string, text: string): Promise<void> {
  await writeFile(join(dir, `${name}.new`), text);
  await rename(join(dir, `${name}.new`), join(dir, name));
}

async function write(more: Partial<Written>): Promise<void> {
  written = { ...written, ...more };
  const { listen, gateway, application } = written;
  await replaceFile(
    'sluice.yaml',
    `version: 1
platforms:
  a: { provider: static, origins: ["${written.origin}"] }
applications:
  shop: { targets: { a: {} }${application} }
gateway:
  listen: ${listen}
  admin: { port: 0 }
  ${gateway}
`,
  );
}

/** The drain is short, because workers that are no longer wanted take all of it. */
function rest(workers = 2): string {
  return `workers: ${workers}\n  timeouts: { drain: 2s }`;
}

async function writePair(folder: string, pair: typeof oldPair): Promise<void> {
  await mkdir(join(dir, folder));
  await writeFile(join(dir, folder, 'cert.pem'), pair.certificate);
  await writeFile(join(dir, folder, 'key.pem'), pair.key);
}

function plain(): string {
  return `http://127.0.0.1:${serving.ports[1]}`;
}

async function ask(url: string, options: { body?: string } = {}): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await request(url, {
    ...(options.body === undefined ? {} : { method: 'POST' as const, body: options.body }),
  });
  return { status: statusCode, text: await body.text() };
}

async function view<T>(path: string): Promise<T> {
  return (await (await request(`${serving.adminUrl}${path}`)).body.json()) as T;
}

async function lastReload(): Promise<LoggedEvent | undefined> {
  const events = await view<LoggedEvent[]>('/v1/events');
  return events.findLast(({ type }) => type === 'configuration.reloaded' || type === 'configuration.refused');
}

/** Does something and waits for what the gateway says to it. */
async function reloadAfter(act: () => Promise<void> | void): Promise<LoggedEvent> {
  const before = (await lastReload())?.seq ?? 0;
  await act();
  await until('the configuration is read again', async () => ((await lastReload())?.seq ?? 0) > before);
  const after = await lastReload();
  if (after === undefined) throw new Error('there was one a moment ago');
  return after;
}

function hangUp(): void {
  process.kill(serving.pid, 'SIGHUP');
}

async function child(role: 'controller' | 'worker'): Promise<number> {
  const children = await childrenOf(serving.pid);
  return children.find(({ env }) => env['SLUICE_ROLE'] === role)!.pid;
}

interface Client {
  readonly socket: Socket | TLSSocket;
  /** One request on this connection: status line and head. */
  get(path?: string): Promise<string>;
}

function clientOn(socket: Socket): Client {
  socket.on('error', () => undefined);
  return {
    socket,
    get(path = '/') {
      return new Promise((done, fail) => {
        let text = '';
        const read = (chunk: Buffer): void => {
          text += chunk.toString('latin1');
          if (!/hello\n|other\n|limit/.test(text)) return;
          socket.off('data', read);
          socket.off('close', gone);
          done(text);
        };
        const gone = (): void => fail(new Error(`the connection ended after: ${text}`));
        socket.on('data', read);
        socket.on('close', gone);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.example.com\r\n\r\n`);
      });
    },
  };
}

async function overTls(): Promise<Client & { readonly serial: string; readonly socket: TLSSocket }> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: serving.ports[0]!,
    servername: 'shop.example.com',
    rejectUnauthorized: false,
  });
  await new Promise<void>((done, fail) => socket.once('secureConnect', done).once('error', fail));
  return { ...clientOn(socket), socket, serial: socket.getPeerX509Certificate()?.fingerprint256 ?? '' };
}

async function overTcp(port: number): Promise<Client> {
  const socket = connectTcp(port, '127.0.0.1');
  await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
  return clientOn(socket);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

// One gateway for all of them, in this order, with requests all the while.
describe('a serving gateway', () => {
  let load: ReturnType<typeof startLoad>;
  beforeAll(() => {
    load = startLoad(plain(), 50, systemClock);
  });

  it('shows new connections a certificate that was swapped, while old ones go on', async () => {
    const before = await overTls();
    expect(await before.get()).toContain('200 OK');
    await writePair('tls-2', newPair);
    const reloaded = await reloadAfter(async () => {
      // As Kubernetes does: nothing is written, a symbolic link leads elsewhere.
      await symlink('tls-2', join(dir, 'tls.new'));
      await rename(join(dir, 'tls.new'), join(dir, 'tls'));
    });
    expect(reloaded).toMatchObject({ type: 'configuration.reloaded', changed: ['gateway.listen'] });
    const after = await Promise.all(Array.from({ length: 8 }, () => overTls()));
    for (const one of after) {
      expect(one.serial).not.toBe(before.serial);
      expect(one.serial).toBe(after[0]?.serial);
      expect(await one.get()).toContain('200 OK');
      one.socket.destroy();
    }
    expect(await before.get()).toContain('200 OK');
    before.socket.destroy();
  });

  it('takes changed limits on SIGHUP, on connections that are open too', async () => {
    const open = await overTcp(serving.ports[1]!);
    const path = `/${'x'.repeat(600)}`;
    expect(await open.get(path)).toContain('200 OK');
    await write({ gateway: `${rest()}\n  limits: { target: 512B, body: 64B }` });
    expect(await reloadAfter(hangUp)).toMatchObject({ changed: ['gateway.limits'] });
    expect((await ask(plain(), { body: 'x'.repeat(65) })).status).toBe(413);
    expect((await ask(`${plain()}${path}`)).status).toBe(414);
    open.socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.example.com\r\n\r\n`);
    const answer = await new Promise<string>((done) =>
      open.socket.once('data', (text) => done(String(text))),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 414 /);
    open.socket.destroy();
  });

  it('opens a port that was added, and closes one that was removed after what is under way', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const { listen } = written;
    await write({ listen: listen.replace(/\]$/, `, { host: 127.0.0.1, port: ${first} }]`) });
    await reloadAfter(hangUp);
    const client = await overTcp(first);
    expect(await client.get()).toContain('200 OK');

    const asked = new Promise<() => void>((answerIt) => {
      const usual = origin.answer;
      origin.answer = (incoming, response) => {
        if (incoming.url !== '/slow') return usual(incoming, response);
        answerIt(() => response.end('hello\n'));
      };
    });
    const slow = client.get('/slow');
    const answerIt = await asked;
    await write({ listen: listen.replace(/\]$/, `, { host: 127.0.0.1, port: ${second} }]`) });
    await reloadAfter(hangUp);
    await expect(overTcp(first)).rejects.toThrow('ECONNREFUSED');
    const added = await overTcp(second);
    expect(await added.get()).toContain('200 OK');
    added.socket.destroy();
    answerIt();
    expect(await slow).toMatch(/connection: close/i);
  });

  it('refuses a file with a fault whole, and says where', async () => {
    const { application } = written;
    await write({ application: ', helth: { path: / }', origin: other.url });
    expect(await reloadAfter(() => undefined)).toMatchObject({
      type: 'configuration.refused',
      message: expect.stringContaining('has a fault'),
      why: expect.stringMatching(/sluice\.yaml:5:\d+ error applications\.shop\.helth: unknown key/),
    });
    const { configuration } = await view<StatusView>('/v1/status');
    expect(configuration?.file).toBe(join(dir, 'sluice.yaml'));
    expect(configuration?.refused?.diagnostics).toEqual([
      expect.objectContaining({ line: 5, path: 'applications.shop.helth', summary: 'unknown key' }),
    ]);
    expect((await ask(plain())).text).toBe('hello\n');

    // A controller that begins with it goes back to what was good.
    const old = await child('controller');
    process.kill(old, 'SIGKILL');
    await until('the next one answers', async () =>
      view<StatusView>('/v1/status').then(
        (status) => status.configuration?.refused !== undefined && status.workers.ready === 2,
        () => false,
      ),
    );
    expect(await child('controller')).not.toBe(old);
    expect((await ask(plain())).text).toBe('hello\n');

    expect(await reloadAfter(() => write({ application, origin: other.url }))).toMatchObject({
      type: 'configuration.reloaded',
      changed: ['platform a'],
    });
    expect((await view<StatusView>('/v1/status')).configuration?.refused).toBeUndefined();
    await until('the other origin answers', async () => (await ask(plain())).text === 'other\n');
  }, 30_000);

  it('refuses a port that another program has, in every worker', async () => {
    const { listen } = written;
    const taken = new URL(origin.url).port;
    await write({ listen: listen.replace(/\]$/, `, { host: 127.0.0.1, port: ${taken} }]`) });
    expect(await reloadAfter(hangUp)).toMatchObject({
      type: 'configuration.refused',
      where: expect.stringContaining(taken),
    });
    await write({ listen });
    await until('it is taken back', async () => {
      const { configuration } = await view<StatusView>('/v1/status');
      return configuration?.refused === undefined;
    });
  });

  it('refuses what it is built on, and names it', async () => {
    await write({ gateway: `${rest()}\n  wire: compat` });
    expect(await reloadAfter(hangUp)).toMatchObject({
      type: 'configuration.refused',
      message: 'gateway.wire cannot change while the gateway runs',
      remedy: expect.stringContaining('restart'),
    });
  });

  it('starts and drains workers as the file asks for', async () => {
    await write({ gateway: rest(3) });
    await reloadAfter(hangUp);
    await until('three are ready', async () => (await view<StatusView>('/v1/status')).workers.ready === 3);
    await write({ gateway: rest(1) });
    await reloadAfter(hangUp);
    await until('one is left', async () => (await view<StatusView>('/v1/status')).workers.ready === 1);
    const workers = (await childrenOf(serving.pid)).filter(({ env }) => env['SLUICE_ROLE'] === 'worker');
    expect(workers).toHaveLength(1);
    expect((await ask(plain())).status).toBe(200);
  });

  it('has failed no request all the while', async () => {
    await load.stop();
    expect(load.samples.length).toBeGreaterThan(100);
    expect(load.samples.filter(({ ok }) => !ok)).toEqual([]);
  });
});
