import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { Agent, get, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { startLoad } from '../../src/app/demo/load.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { RoutingTable } from '../../src/core/routing-table.ts';
import type { StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Serving, serve } from '../support/cli.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';
import { childrenOf, isAlive, until } from '../support/processes.ts';
import { twoWorkers } from '../support/static-file.ts';

let dir: string;
let origin: OriginServer;
let serving: Serving;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-serve-'));
  origin = await originServer((_request, response) => response.end('hello\n'));
});

afterAll(async () => {
  await origin.close();
  await rm(dir, { recursive: true, force: true });
});

async function start(
  args = ['--origin', `a=${origin.url}`],
  env: Record<string, string> = {},
): Promise<void> {
  serving = await serve(args, dir, env);
  await until('it serves', async () => (await statusOf(serving.url)) === 200);
}

async function statusOf(url: string): Promise<number> {
  const answer = await request(url);
  await answer.body.dump();
  return answer.statusCode;
}

async function view<T>(path: string): Promise<T> {
  return (await (await request(`${serving.adminUrl}${path}`)).body.json()) as T;
}

async function child(role: 'controller' | 'worker'): Promise<number> {
  const children = await childrenOf(serving.pid);
  return children.find(({ env }) => env['SLUICE_ROLE'] === role)!.pid;
}

/** One request on a connection of the agent's; tells whether the connection was used before. */
function on(agent: Agent): Promise<{ status: number | undefined; reused: boolean }> {
  return new Promise((done, fail) => {
    const sent = get(serving.url, { agent }, (response) => {
      response.resume();
      response.on('end', () => done({ status: response.statusCode, reused: sent.reusedSocket }));
    });
    // The connection died with its worker while it was idle: any client tries again on a fresh one.
    sent.on('error', (error) => (sent.reusedSocket ? on(agent).then(done, fail) : fail(error)));
  });
}

// One gateway for all of them, in this order: each leaves it serving, but for the last.
describe('a gateway', () => {
  beforeAll(() =>
    start(undefined, { CF_PASSWORD: 'canary-of-the-platform', SLUICE_TOKEN: 'canary-of-the-server' }),
  );
  afterAll(() => serving.stop());

  it('gives its worker no credential of the environment; the controller has it', async () => {
    const children = await childrenOf(serving.pid);
    const worker = children.find(({ env }) => env['SLUICE_ROLE'] === 'worker');
    const controller = children.find(({ env }) => env['SLUICE_ROLE'] === 'controller');
    expect(controller?.env['CF_PASSWORD']).toBe('canary-of-the-platform');
    expect(JSON.stringify(worker?.env)).not.toContain('canary');
  });

  it('whose controller dies costs no request; the next one answers at the same door and goes on counting', async () => {
    const load = startLoad(serving.url, 100, systemClock);
    const table = await view<RoutingTable>('/v1/table');
    const before = await view<LoggedEvent[]>('/v1/events');
    const old = await child('controller');
    process.kill(old, 'SIGKILL');
    await until('a new controller is ready', async () =>
      request(`${serving.adminUrl}/readyz`).then(
        async ({ statusCode, body }) => {
          await body.dump();
          return statusCode === 200;
        },
        () => false,
      ),
    );
    const after = await view<LoggedEvent[]>('/v1/events');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.map(({ seq }) => seq)).toEqual(after.map((_event, index) => index + 1));
    expect(after.slice(before.length)).toContainEqual(
      expect.objectContaining({ type: 'process.exited', pid: old, why: 'killed by SIGKILL' }),
    );
    expect((await view<RoutingTable>('/v1/table')).version).toBeGreaterThanOrEqual(table.version);
    await load.stop();
    expect(load.samples.length).toBeGreaterThan(10);
    expect(load.samples.filter((one) => !one.ok)).toEqual([]);
  });

  it('whose only worker dies serves again on the same port, with the last table', async () => {
    process.kill(await child('worker'), 'SIGKILL');
    await until('it serves again', () =>
      statusOf(serving.url).then(
        (status) => status === 200,
        () => false,
      ),
    );
  });

  it('whose supervisor dies leaves no process', async () => {
    const pids = (await childrenOf(serving.pid)).map(({ pid }) => pid);
    expect(pids).toHaveLength(2);
    process.kill(serving.pid, 'SIGKILL');
    await until('all are gone', () => pids.every((pid) => !isAlive(pid)), 3_000);
  });
});

describe('two workers', () => {
  afterAll(() => serving.stop());

  it('of which one dies cost its connections only, and another takes its place', async () => {
    await start(['-f', await twoWorkers(dir, origin.url)]);
    await until('both are ready', async () => (await view<StatusView>('/v1/status')).workers.ready === 2);
    const agents = Array.from({ length: 12 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    for (const agent of agents) expect((await on(agent)).status).toBe(200);
    const victim = await child('worker');
    process.kill(victim, 'SIGKILL');
    await until('its death is known', async () =>
      (await view<LoggedEvent[]>('/v1/events')).some((event) => event.type === 'process.exited'),
    );
    const outcomes = await Promise.all(agents.map((agent) => on(agent)));
    for (const agent of agents) agent.destroy();
    expect(outcomes.map(({ status }) => status)).toEqual(agents.map(() => 200));
    // Which worker takes a connection is the kernel's choice; with twelve, both have some.
    expect(outcomes.some(({ reused }) => reused)).toBe(true);
    await until('another is ready', async () => (await view<StatusView>('/v1/status')).workers.ready === 2);
    const { recent } = await view<StatusView>('/v1/status');
    expect(recent).toContainEqual(
      expect.objectContaining({
        type: 'process.exited',
        process: 'worker',
        pid: victim,
        why: 'killed by SIGKILL',
      }),
    );
  });

  it('of which one dies do not disturb what the other streams, and the port goes on accepting', async () => {
    const usual = origin.answer;
    const streams = new Set<ServerResponse>();
    origin.answer = (incoming, response) => {
      if (incoming.url !== '/stream') return usual(incoming, response);
      response.write('begun\n');
      streams.add(response);
    };
    const workers = (await childrenOf(serving.pid)).filter(({ env }) => env['SLUICE_ROLE'] === 'worker');
    const idle = await Promise.all(workers.map(({ pid }) => socketsOf(pid)));
    const clients = await Promise.all(Array.from({ length: 12 }, () => streaming(`${serving.url}/stream`)));
    const busy = await Promise.all(workers.map(({ pid }) => socketsOf(pid)));
    // The kernel says who takes a connection; the one that took fewest dies, so that somebody's go on.
    const [victim] = workers
      .map(({ pid }, i) => ({ pid, took: (busy[i] ?? 0) - (idle[i] ?? 0) }))
      .sort((a, b) => a.took - b.took);
    process.kill(victim!.pid, 'SIGKILL');
    await until('its own are cut', () => !isAlive(victim!.pid));
    for (let i = 0; i < 20; i++) expect(await statusOf(serving.url)).toBe(200);
    for (const stream of streams) stream.end('ended\n');
    const texts = await Promise.all(clients.map(({ ended }) => ended));
    const whole = texts.filter((text) => text === 'begun\nended\n');
    expect(whole.length).toBeGreaterThanOrEqual(6);
    expect(texts.filter((text) => text !== 'begun\nended\n' && text !== 'cut')).toEqual([]);
    origin.answer = usual;
  });
});

/** Open sockets of a process; with those between its own threads and the others', which stay what they are. */
async function socketsOf(pid: number): Promise<number> {
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return links.filter((link) => link.startsWith('socket:')).length;
}

/** Resolves once the first part of the answer is there; `ended` gives all of it, or `cut`. */
function streaming(url: string): Promise<{ readonly ended: Promise<string> }> {
  return new Promise((begun, fail) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      const ended = new Promise<string>((done) => {
        response.on('end', () => done(text));
        response.on('error', () => done('cut'));
      });
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        begun({ ended });
      });
    }).on('error', fail);
  });
}
