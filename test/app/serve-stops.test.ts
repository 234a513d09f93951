import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';
import { childrenOf, isAlive, until } from '../support/processes.ts';
import { twoWorkers } from '../support/static-file.ts';

let dir: string;
let origin: OriginServer;
let serving: Serving | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-stop-'));
  origin = await originServer((_request, response) => response.end('hello\n'));
});

afterEach(async () => {
  await serving?.stop();
  serving = undefined;
  await origin.close();
  await rm(dir, { recursive: true, force: true });
});

async function start(): Promise<Serving> {
  serving = await serve(['--origin', `a=${origin.url}`], dir);
  const { url } = serving;
  await until('it serves', async () => {
    const answer = await request(url);
    await answer.body.dump();
    return answer.statusCode === 200;
  });
  return serving;
}

describe('SIGTERM', () => {
  it('finishes what is in flight, takes nothing new, leaves nothing and ends with 0', async () => {
    const { url, pid, exited } = await start();
    const children = (await childrenOf(pid)).map((child) => child.pid);
    let finish: () => void = () => {};
    const arrived = new Promise<void>((here) => {
      origin.answer = (asked, response) => {
        if (asked.url !== '/slow') return response.end('hello\n');
        finish = () => response.end('at last\n');
        here();
      };
    });
    const slow = new Promise<string>((done, fail) => {
      get(`${url}/slow`, { agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => {
          body += text;
        });
        response.on('end', () => done(`${response.statusCode} ${body}`));
      }).on('error', fail);
    });
    await arrived;
    process.kill(pid, 'SIGTERM');
    await until('new connections are refused', () => refuses(url));
    finish();
    expect(await slow).toBe('200 at last\n');
    expect(await exited).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('turns /readyz first: for a while new connections are served as before', async () => {
    const file = await twoWorkers(dir, origin.url, ', timeouts: { stopDelay: 1500ms }');
    serving = await serve(['-f', file], dir);
    const { url, adminUrl, pid, exited } = serving;
    await until('it is ready', async () => (await statusOf(`${adminUrl}/readyz`)) === 200);
    await until('it serves', async () => (await statusOf(url)) === 200);
    let finish: () => void = () => {};
    origin.answer = (asked, response) => {
      if (asked.url !== '/slow') return response.end('hello\n');
      finish = () => response.end('at last\n');
    };
    process.kill(pid, 'SIGTERM');
    await until('it is not ready', async () => (await statusOf(`${adminUrl}/readyz`)) === 503);
    expect(await statusOf(url)).toBe(200);
    const slow = statusOf(`${url}/slow`);
    await until('new connections are refused', () => refuses(url));
    expect(await statusOf(`${adminUrl}/readyz`)).toBe(503);
    finish();
    expect(await slow).toBe(200);
    expect(await exited).toBe(0);
  });

  it('for the second time ends everything at once', async () => {
    const { url, pid, exited } = await start();
    const children = (await childrenOf(pid)).map((child) => child.pid);
    const arrived = new Promise<void>((here) => {
      origin.answer = (asked, response) => {
        if (asked.url === '/never') here();
        else response.end('hello\n');
      };
    });
    const cut = statusOf(`${url}/never`).catch((error: Error) => error);
    await arrived;
    process.kill(pid, 'SIGTERM');
    await until('it drains', () => refuses(url));
    process.kill(pid, 'SIGTERM');
    expect(await exited).toBe(130);
    await until('nothing is left', () => !children.some(isAlive));
    expect(await cut).toBeInstanceOf(Error);
  });
});

async function statusOf(url: string): Promise<number> {
  const answer = await request(url);
  await answer.body.dump();
  return answer.statusCode;
}

function refuses(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((done) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(false);
    });
    socket.on('error', () => done(true));
  });
}

describe('a port that another program has', () => {
  it.each([
    ['the gateway', '--port', '--admin-port'],
    ['the admin API', '--admin-port', '--port'],
  ])('of %s: one clear message, status 1, nothing left running', async (_whose, taken, free) => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '0.0.0.0', done));
    const { port } = other.address() as { port: number };
    const args = ['serve', '-f', await twoWorkers(dir, origin.url)];
    const result = await sluice([...args, taken, String(port), free, '0'], dir);
    await new Promise((done) => other.close(done));
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr.match(/PORT_IN_USE/g)).toHaveLength(1);
    expect(result.stderr).toMatch(/^✖ .*\[PORT_IN_USE\]\n {2}where .*\n {2}why .*\n {2}do .*\n$/);
    expect(result.stderr).toContain(String(port));
    expect(await childrenOf(result.pid)).toEqual([]);
  });
});

describe('the last table on disk', () => {
  it('is served at start although no probe is answered', async () => {
    const first = await start();
    await first.stop();
    const probes: string[] = [];
    // Frozen where it is probed, and quite well elsewhere.
    origin.answer = (asked, response) => {
      if (asked.url === '/') probes.push(asked.url);
      else response.end('hello\n');
    };
    serving = await serve(['--origin', `a=${origin.url}`], dir);
    const answer = await request(`${serving.url}/products`);
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'hello\n']);
  });
});
