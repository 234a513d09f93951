import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { createLocalCloudFoundry } from '../../providers/cloudfoundry/local/server.ts';
import type { Runner } from '../../src/core/runner.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createHost } from '../../src/runner/host.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { example, sluice } from '../support/cli.ts';

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };

let dir: string;
let runner: Runner;
let cf: ReturnType<typeof createLocalCloudFoundry>;
let host: ReturnType<typeof createHost>;
/** The release that serves before any of these tests, and must serve after each of them. */
let serving: string;

function configuration(
  changes: { api?: string; source?: string; command?: string; extra?: string } = {},
): string {
  return `version: 1
platforms:
  cf:
    provider: cloudfoundry
    api: ${changes.api ?? cf.apiUrl}
    router: ${cf.routerUrl}
    org: demo
    space: dev
    domain: apps.cf.localhost
    credentials: { username: "\${CF_USER}", password: "\${CF_PASSWORD}" }
  rack: { provider: selfhosted, driver: process, socket: ${join(dir, 'host.sock')} }
applications:
  shop:
    source: ${changes.source ?? './shop'}
    command: ${changes.command ?? 'node server.js'}
    memory: 64Mi
    startTimeout: 2s
    health: { path: /healthz, release: { header: x-release } }
    targets: { cf: {}, rack: {} }
${changes.extra ?? ''}gateway: { admin: { port: 1 } }
`;
}

function env(changes: Record<string, string> = {}): Record<string, string> {
  return { CF_USER: cf.credentials.username, CF_PASSWORD: cf.credentials.password, ...changes };
}

async function answeringRelease(): Promise<string> {
  const answer = await request(`${cf.routerUrl}/healthz`, { headers: { host: 'shop.apps.cf.localhost' } });
  await answer.body.dump();
  return `${answer.statusCode} ${String(answer.headers['x-release'])}`;
}

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text);
  return name;
}

async function deploy(file: string, more: string[] = [], given = env()) {
  return sluice(['deploy', '-f', file, ...more], dir, given);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-bad-input-'));
  await cp(example('shop'), join(dir, 'shop'), { recursive: true });
  runner = createRunner(deps);
  cf = createLocalCloudFoundry({ ...deps, dir: join(dir, 'cf'), runner, speed: 0.05 });
  host = createHost({
    ...deps,
    socket: join(dir, 'host.sock'),
    stateDir: join(dir, 'host'),
    onOwnerExit: 'kill',
  });
  await cf.start();
  await host.start();
  const result = await deploy(await write('sluice.yaml', configuration()));
  expect(result).toMatchObject({ status: 0 });
  serving = await answeringRelease();
  expect(serving).toMatch(/^200 r-[0-9a-f]{10}$/);
}, 60_000);

afterAll(async () => {
  await host.close();
  await cf.close();
  await runner.close();
  await rm(dir, { recursive: true, force: true });
});

afterEach(async () => {
  expect(await answeringRelease()).toBe(serving);
});

describe('bad input', () => {
  it('a wrong key: named with its place and the key that was meant', async () => {
    const text = configuration().replace('memory:', 'memroy:');
    const line = text.split('\n').findIndex((one) => one.includes('memroy')) + 1;
    const result = await deploy(await write('wrong-key.yaml', text));
    expect(result.status).toBe(64);
    expect(result.stderr).toContain(`wrong-key.yaml:${line}:5`);
    expect(result.stderr).toContain('memory');
  });

  it('a missing secret: the variable and where it is used', async () => {
    const { CF_PASSWORD: _, ...without } = env();
    const result = await deploy(await write('missing.yaml', configuration()), [], without);
    expect(result.status).toBe(64);
    expect(result.stderr).toMatch(/missing\.yaml:\d+:\d+/);
    expect(result.stderr).toContain('CF_PASSWORD');
  });

  it('an unreachable API: its address, the reason and what to check', async () => {
    const file = await write('unreachable.yaml', configuration({ api: 'http://127.0.0.1:1' }));
    const result = await deploy(file, ['--on', 'cf']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('[PLATFORM_UNAVAILABLE]');
    expect(result.stderr).toContain('http://127.0.0.1:1');
    expect(result.stderr).toContain('ECONNREFUSED');
    expect(result.stderr).toMatch(/do {5}\S/);
  });

  it('wrong credentials: which platform refused them, and not a trace of the secret', async () => {
    const canary = 'canary-4f1d-password';
    const file = await write('credentials.yaml', configuration());
    const result = await deploy(file, ['--on', 'cf'], env({ CF_PASSWORD: canary }));
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('[PLATFORM_AUTH]');
    expect(result.stderr).toMatch(/where {2}cf/);
    expect(result.stdout + result.stderr).not.toContain(canary);
  });

  it('a build that fails: the platform’s own error; the other platform is done and the exit status says partly', async () => {
    cf.setFault('build-fails', true);
    await mkdir(join(dir, 'other'), { recursive: true });
    await cp(join(dir, 'shop'), join(dir, 'other'), { recursive: true });
    await writeFile(join(dir, 'other', 'VERSION'), 'other\n');
    const result = await deploy(await write('build.yaml', configuration({ source: './other' })));
    cf.setFault('build-fails', false);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('[BUILD_FAILED]');
    expect(result.stderr).toMatch(/why {4}\S/);
    expect(result.stdout).toContain('rack live');
  }, 30_000);

  it('an application that never listens: how long was waited, and the end of its log', async () => {
    const command = `"node -e 'console.log(\\"waiting for a database\\");setInterval(()=>{},1000)'"`;
    const result = await deploy(await write('silent.yaml', configuration({ command })), ['--on', 'cf']);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('[START_FAILED]');
    expect(result.stderr).toContain('waiting for a database');
  }, 60_000);

  it('an unknown command or option: exit status 2', async () => {
    expect((await sluice(['deplyo'], dir)).status).toBe(2);
    expect((await sluice(['deploy', '--no-such-option'], dir)).status).toBe(2);
  });

  it.each(['nonsense', '127.0.0.1:9901', 'http://127.0.0.1:undefined'])(
    'a server %s that is no address: exit status 2 and how to write one',
    async (server) => {
      const result = await sluice(['status', '--server', server], dir);
      expect(result.status).toBe(2);
      expect(result.stderr).toContain('http://127.0.0.1:9901');
    },
  );

  it('a server that is not there: its address and how to start one', async () => {
    const result = await sluice(['status', '--server', 'http://127.0.0.1:1'], dir);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('[SERVER_UNREACHABLE]');
    expect(result.stderr).toContain('sluice serve');
  });
});
