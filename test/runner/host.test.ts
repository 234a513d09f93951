import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Runnable } from '../../src/core/ports.ts';
import { tarGzFiles } from '../../src/lib/archive.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createHost } from '../../src/runner/host.ts';
import { applicationFolder, ask, exists, removeFolder, until } from './applications.ts';

const RELEASE = 'r-0123456789';
const RUN = {
  command: 'node server.js',
  env: { TOKEN: 'planted-canary-value' },
  healthPath: '/',
  startTimeoutMs: 8_000,
  stopGraceMs: 500,
};

let app: string;
let folder: string;
let hosts: Runnable[];

beforeAll(async () => {
  app = await applicationFolder();
});
afterAll(() => removeFolder(app));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  hosts = [];
});
afterEach(async () => {
  for (const host of hosts) await host.close();
  // Ends what was kept: such a daemon kills what it finds.
  const last = daemon({ onOwnerExit: 'kill' });
  await last.start().catch(() => undefined);
  await last.close();
  await removeFolder(folder);
});

function daemon(more: { onOwnerExit?: 'kill' | 'keep'; socket?: string; stateDir?: string } = {}): Runnable {
  const silent = () => undefined;
  const host = createHost({
    socket: join(folder, 'host.sock'),
    stateDir: join(folder, 'state'),
    onOwnerExit: 'keep',
    clock: systemClock,
    random: seededRandom(11),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    ...more,
  });
  hosts.push(host);
  return host;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly body: any;
}

function call(method: string, path: string, body?: object | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: join(folder, 'host.sock'), method, path, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    sent.end(body === undefined || body instanceof Buffer ? body : JSON.stringify(body));
  });
}

async function manifestOf(names: readonly string[]) {
  const files = [];
  for (const path of names) {
    const sha256 = createHash('sha256')
      .update(await readFile(join(app, path)))
      .digest('hex');
    files.push({ path, mode: 0o644, sha256 });
  }
  return { digest: `sha256:${names.join()}`, files };
}

function archiveOf(names: readonly string[]): Promise<Buffer> {
  return tarGzFiles(
    app,
    names.map((path) => ({ path, mode: 0o644 })),
  );
}

async function stage(names: readonly string[] = ['server.js', 'crash.js']): Promise<void> {
  await call('PUT', `/v1/applications/shop/releases/${RELEASE}/manifest`, await manifestOf(names));
  const answer = await call(
    'PUT',
    `/v1/applications/shop/releases/${RELEASE}/content`,
    await archiveOf(names),
  );
  expect(answer).toEqual({ status: 200, body: {} });
}

function run(instances: number, more: object = {}): Promise<Answer> {
  return call('PUT', `/v1/applications/shop/releases/${RELEASE}/instances`, {
    instances,
    run: { ...RUN, ...more },
  });
}

async function release() {
  const answer = await call('GET', '/v1/applications/shop');
  return answer.body.releases[0];
}

async function runs(): Promise<void> {
  await until(async () => (await release())?.phase === 'running');
}

describe('host daemon', () => {
  describe('its socket', () => {
    it('is for its owner only, as is the state with its secrets', async () => {
      await daemon().start();
      await stage();
      await run(1);
      await runs();
      expect((await stat(join(folder, 'host.sock'))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, 'state', 'host.json'))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    });

    it('is not shared: the second daemon fails and the first goes on', async () => {
      await daemon().start();
      const second = daemon({ stateDir: join(folder, 'other') });
      await expect(second.start()).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        details: { where: join(folder, 'host.sock') },
      });
      expect((await call('GET', '/v1/info')).body.api).toBe('v1');
    });

    it('does not share its state folder either', async () => {
      await daemon().start();
      const second = daemon({ socket: join(folder, 'other.sock') });
      await expect(second.start()).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    });

    it('replaces the socket file and the lock that a dead daemon left', async () => {
      // Listening, and closed without removing the file: as after SIGKILL.
      const dead = createServer();
      await new Promise<void>((resolve) => dead.listen(join(folder, 'dead.sock'), resolve));
      await rename(join(folder, 'dead.sock'), join(folder, 'host.sock'));
      await new Promise((resolve) => dead.close(resolve));
      await mkdir(join(folder, 'state'));
      await writeFile(join(folder, 'state', 'host.lock'), JSON.stringify({ pid: 1, startTicks: 12345 }));
      await daemon().start();
      expect((await call('GET', '/v1/info')).status).toBe(200);
    });

    it('says that a path is too long instead of failing strangely', async () => {
      const host = daemon({ socket: join(folder, 'x'.repeat(120)) });
      await expect(host.start()).rejects.toMatchObject({ code: 'USAGE' });
    });
  });

  describe('an upload', () => {
    it('is wanted once', async () => {
      await daemon().start();
      const manifest = await manifestOf(['server.js', 'crash.js']);
      const path = `/v1/applications/shop/releases/${RELEASE}/manifest`;
      expect((await call('PUT', path, manifest)).body).toEqual({ wanted: true });
      await stage();
      expect((await call('PUT', path, manifest)).body).toEqual({ wanted: false });
    });

    it.each([
      ['cut short', async () => (await archiveOf(['server.js', 'crash.js'])).subarray(0, 300)],
      ['of other files', async () => archiveOf(['server.js', 'silent.js'])],
      ['with a file missing', async () => archiveOf(['server.js'])],
      ['empty', async () => Buffer.alloc(0)],
    ])('%s is refused and leaves nothing behind', async (_name, content) => {
      await daemon().start();
      const base = `/v1/applications/shop/releases/${RELEASE}`;
      await call('PUT', `${base}/manifest`, await manifestOf(['server.js', 'crash.js']));
      const answer = await call('PUT', `${base}/content`, await content());
      expect(answer.status).toBe(400);
      expect(answer.body.error).toMatchObject({ class: 'invalid' });
      expect(await release()).toBeUndefined();
      expect(await readdir(join(folder, 'state', 'releases', 'shop'))).toEqual([]);
      await stage();
    });

    it('that a dead daemon was unpacking is removed at the next start', async () => {
      const half = join(folder, 'state', 'releases', 'shop', '.incoming-1-0');
      await mkdir(half, { recursive: true });
      await mkdir(join(folder, 'state', 'releases', 'shop', RELEASE));
      await daemon().start();
      await expect(stat(half)).rejects.toThrow('ENOENT');
      expect(await release()).toBeUndefined();
    });

    it('of other content is refused while the release runs', async () => {
      await daemon().start();
      await stage();
      await run(1);
      await runs();
      const path = `/v1/applications/shop/releases/${RELEASE}/manifest`;
      const answer = await call('PUT', path, await manifestOf(['server.js']));
      expect(answer).toMatchObject({ status: 409, body: { error: { class: 'conflict' } } });
    });
  });

  it.each([
    ['PUT', '/v1/applications/..%2F..%2Fetc/releases/r-0123456789/manifest', 400],
    ['PUT', '/v1/applications/shop/releases/..%2Fx/manifest', 400],
    ['DELETE', '/v1/applications/shop/releases/latest', 400],
    ['GET', '/v2/anything', 405],
    ['PUT', '/v1/applications/shop/releases/r-0123456789/instances', 400],
  ])('refuses %s %s', async (method, path, status) => {
    await daemon().start();
    const answer = await call(method, path, method === 'PUT' ? {} : undefined);
    expect(answer.status).toBe(status);
    expect(answer.body.error.remedy).toBeTruthy();
  });

  it('tells what is missing, never what was given', async () => {
    await daemon().start();
    const answer = await run(1, { stopGraceMs: 'planted-canary-value' });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain('planted-canary-value');
    expect(answer.body.error.why).toContain('run.stopGraceMs');
  });

  it('takes back a release that crash-loops, keeps its last words, and starts it when asked again', async () => {
    await daemon().start();
    await stage();
    await run(2, { command: 'node crash.js', startTimeoutMs: 700 });
    await until(async () => (await release()).phase === 'failed');
    const failed = await release();
    expect(failed.failure.reason).toContain('exited with code 3');
    expect(failed.failure.logTail).toContain('no database');
    await run(2);
    await runs();
    expect((await release()).instances).toHaveLength(2);
  });

  it('takes a release over that was tried, with its instances, and keeps it when the trial is ended', async () => {
    await daemon().start();
    await stage();
    const trial = `/v1/applications/shop/releases/${RELEASE}/trial`;
    expect((await call('PUT', trial, { instances: 1, run: RUN })).status).toBe(200);
    await runs();
    const [before] = (await release()).instances;
    expect(await release()).toMatchObject({ trial: true, wanted: 1 });
    // Nothing serves: there is nothing to be scaled.
    expect((await call('PUT', '/v1/applications/shop/instances', { instances: 3 })).status).toBe(404);
    expect((await call('DELETE', `/v1/applications/shop/releases/${RELEASE}`)).status).toBe(409);
    await run(2);
    await runs();
    const after = await release();
    expect(after).toMatchObject({ trial: false, wanted: 2 });
    expect(after.instances).toHaveLength(2);
    expect(after.instances[0]).toMatchObject({ id: before.id, pid: before.pid });
    expect((await call('DELETE', trial)).status).toBe(200);
    expect(await release()).toMatchObject({ phase: 'running', trial: false, wanted: 2 });
    expect((await call('PUT', trial, { instances: 1, run: RUN })).status).toBe(409);
  });

  it('goes on trying after its own end, and keeps the content when the trial ends', async () => {
    const first = daemon();
    await first.start();
    await stage();
    const trial = `/v1/applications/shop/releases/${RELEASE}/trial`;
    await call('PUT', trial, { instances: 1, run: RUN });
    await runs();
    const [before] = (await release()).instances;
    await first.close();
    await daemon().start();
    expect(await release()).toMatchObject({ trial: true, instances: [{ pid: before.pid }] });
    await call('DELETE', trial);
    await until(async () => (await release()).instances.length === 0);
    expect(await release()).toMatchObject({ phase: 'staged', trial: false });
  });

  it('keeps its instances over its own end, and the next daemon has them at once', async () => {
    const first = daemon();
    await first.start();
    await stage();
    await run(2);
    await runs();
    const before = (await release()).instances.map((one: { pid: number }) => one.pid);
    await first.close();
    expect(before.every(exists)).toBe(true);

    await daemon().start();
    const after = await release();
    expect(after.phase).toBe('running');
    expect(after.instances.map((one: { pid: number }) => one.pid)).toEqual(before);
    expect(after.instances.every((one: { state: string }) => one.state === 'running')).toBe(true);
  });

  it('starts what ended while no daemon was there', async () => {
    const first = daemon();
    await first.start();
    await stage();
    await run(1);
    await runs();
    const [{ pid }] = (await release()).instances;
    await first.close();
    process.kill(-pid, 'SIGKILL');
    await until(() => !exists(pid));
    await daemon().start();
    await until(async () => (await release()).instances[0]?.state === 'running');
    expect((await release()).instances[0].pid).not.toBe(pid);
  });

  it('ends what a dead leader left behind before it starts anew', async () => {
    const first = daemon();
    await first.start();
    await stage();
    await run(1, { command: 'node server.js; true' });
    await runs();
    const [{ pid: shell, port }] = (await release()).instances;
    const server = (await ask(port)).pid;
    expect(server).not.toBe(shell);
    await first.close();
    process.kill(shell, 'SIGKILL');
    await until(() => !exists(shell));
    expect(exists(server)).toBe(true);
    await daemon().start();
    await until(async () => (await release()).instances[0]?.state === 'running');
    expect(exists(server)).toBe(false);
  });

  it('ends with what was wanted last, however acts come in between', async () => {
    await daemon().start();
    await stage();
    await Promise.all([run(3), call('PUT', '/v1/applications/shop/instances', { instances: 1 }), run(2)]);
    await runs();
    await until(async () => (await release()).instances.length === 2);
    await Promise.all([
      call('PUT', '/v1/applications/shop/instances', { instances: 3 }),
      call('DELETE', `/v1/applications/shop/releases/${RELEASE}`),
    ]);
    await until(async () => (await release()) === undefined);
    expect(await readdir(join(folder, 'state', 'releases'))).toEqual([]);
  });

  it('goes on with a removal that its predecessor began', async () => {
    const first = daemon();
    await first.start();
    await stage(['stubborn.js']);
    await run(1, { command: 'exec node stubborn.js', healthPath: undefined, startTimeoutMs: 30_000 });
    await until(async () => (await release()).instances[0]?.pid > 0);
    const [{ pid }] = (await release()).instances;
    await call('DELETE', `/v1/applications/shop/releases/${RELEASE}`);
    await first.close();
    await daemon().start();
    await until(async () => (await release()) === undefined);
    // Our own process is its parent here and reaps it a moment later.
    await until(() => !exists(pid));
    expect(await readdir(join(folder, 'state', 'releases'))).toEqual([]);
  });

  it('takes its instances along where it shall, and has them back when it returns', async () => {
    const first = daemon({ onOwnerExit: 'kill' });
    await first.start();
    await stage();
    await run(1);
    await runs();
    const [{ pid }] = (await release()).instances;
    await first.close();
    expect(exists(pid)).toBe(false);
    await daemon({ onOwnerExit: 'kill' }).start();
    await until(async () => (await release()).instances[0]?.state === 'running');
  });

  it('does not start on a state it cannot read, and leaves it as it is', async () => {
    await mkdir(join(folder, 'state'));
    await writeFile(join(folder, 'state', 'host.json'), '{"version":1,');
    await expect(daemon().start()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
    expect((await stat(join(folder, 'state', 'host.json'))).size).toBe(13);
  });
});
