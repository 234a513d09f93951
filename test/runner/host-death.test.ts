import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createProvider } from '../../providers/selfhosted/provider.ts';
import type { PlatformProvider, ProviderContext } from '../../src/core/provider.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { requestOrigin } from '../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../support/sample-app.ts';
import { exists, removeFolder, until } from './applications.ts';

/** The daemon must be a process of its own to be killed, so the compiled one runs. */
const COMPILED = join(process.cwd(), 'dist/src/runner/host.js');

const DAEMON = `
import { createHost } from ${JSON.stringify(COMPILED)};
import { systemClock } from ${JSON.stringify(COMPILED.replace('runner/host.js', 'lib/clock.js'))};
const [folder, onOwnerExit] = process.argv.slice(2);
const silent = () => undefined;
const host = createHost({ socket: folder + '/host.sock', stateDir: folder + '/state', clock: systemClock, random: Math.random,
  onOwnerExit, logger: { debug: silent, info: silent, warn: silent, error: silent } });
process.on('SIGTERM', () => host.close().then(() => process.exit(0)));
await host.start();
`;

const context: ProviderContext = {
  signal: new AbortController().signal,
  now: () => systemClock.now(),
  log: () => undefined,
};

let folder: string;
let provider: PlatformProvider;
let daemon: ChildProcess | undefined;
let pids: number[];

beforeEach(async () => {
  if (!existsSync(COMPILED))
    throw new Error('run `npm run build` first: this test starts the compiled daemon');
  folder = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  await writeFile(join(folder, 'daemon.mjs'), DAEMON);
  pids = [];
  provider = createProvider({
    platform: 'rack',
    options: { driver: 'process', socket: join(folder, 'host.sock') },
    clock: systemClock,
    random: seededRandom(1),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
});
afterEach(async () => {
  await provider.close();
  for (const pid of [daemon?.pid ?? 0, ...pids]) if (pid > 0 && exists(pid)) process.kill(pid, 'SIGKILL');
  await removeFolder(folder);
});

async function start(mode: 'kill' | 'keep'): Promise<void> {
  const child = spawn(process.execPath, ['daemon.mjs', folder, mode], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  daemon = child;
  await until(() =>
    provider.describe(context).then(
      () => true,
      () => false,
    ),
  );
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const child = daemon;
  const gone = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill(signal);
  await gone;
}

/** Deploys the sample and remembers the pids that answer. */
async function deploy(): Promise<void> {
  const bundle = await sampleBundle();
  const want = sampleTarget({ application: 'shop', platform: 'rack', number: 1 });
  const { done } = await provider.stage(context, want, bundle);
  await bundle.remove();
  const { handle } = await provider.apply(context, want, done?.artifact ?? { native: {} });
  await until(async () => (await provider.poll(context, handle)).state === 'succeeded');
  pids = await answeringPids();
  expect(pids).toHaveLength(2);
}

async function answeringPids(): Promise<number[]> {
  const { origins } = await provider.observe(context, 'shop');
  const answers = await Promise.all(origins.map((origin) => requestOrigin(origin, '/')));
  return answers.map((answer) => Number(answer.headers['x-pid']));
}

describe('death of the host daemon', () => {
  it('by SIGKILL costs no kept instance; the next daemon owns the same ones', async () => {
    await start('keep');
    await deploy();
    const { origins } = await provider.observe(context, 'shop');
    await end('SIGKILL');
    for (const origin of origins) expect((await requestOrigin(origin, '/')).status).toBe(200);
    await start('keep');
    expect(await answeringPids()).toEqual(pids);
    const { handle } = await provider.destroy(context, 'shop');
    await until(async () => (await provider.poll(context, handle)).state === 'succeeded');
    expect(pids.some(exists)).toBe(false);
    await end('SIGTERM');
  });

  it('by SIGKILL takes every instance along where it shall', async () => {
    await start('kill');
    await deploy();
    await end('SIGKILL');
    await until(() => !pids.some(exists));
  });

  it('by SIGTERM lets it end and leaves the kept instances', async () => {
    await start('keep');
    await deploy();
    await end('SIGTERM');
    expect(daemon?.exitCode).toBe(0);
    expect(pids.every(exists)).toBe(true);
  });
});
