import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import type { Runner } from '../../../src/core/runner.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { type TestHost, testHost } from '../../providers/selfhosted/host-harness.ts';
import type { Report } from './report.ts';

// What is shown here is that the script works. A local platform is no real one.
const MAIN = resolve(import.meta.dirname, '../../../dist/test/conformance/real/main.js');
const RUN_MS = 240_000;

let dir: string;
let host: TestHost;
let runner: Runner;
let local: LocalCloudFoundry;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-real-'));
  host = await testHost('keep');
  const random = seededRandom(5);
  runner = createRunner({ clock: systemClock, random });
  local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.02 });
  await local.start();
});

afterAll(async () => {
  await host.end();
  await local.close();
  await runner.close();
  await rm(dir, { recursive: true, force: true });
});

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: Report | undefined;
}

async function run(env: Record<string, string>, args: readonly string[] = []): Promise<Ran> {
  const folder = await mkdtemp(join(dir, 'report-'));
  const child = spawn(process.execPath, [MAIN, '--report', folder, ...args], {
    // Not the environment of this run, nor the flags of its jest.
    env: { PATH: process.env['PATH'] ?? '', SLUICE_REAL_SLOWNESS: '4', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((done) => child.on('close', done));
  const name = (await readdir(folder)).find((one) => one.endsWith('.json'));
  const report = name === undefined ? undefined : JSON.parse(await readFile(join(folder, name), 'utf8'));
  return { status, stdout, stderr, report };
}

function cloudFoundry(change: Record<string, string> = {}): Record<string, string> {
  return {
    SLUICE_REAL_CF_API: local.apiUrl,
    SLUICE_REAL_CF_ORG: local.organization,
    SLUICE_REAL_CF_SPACE: local.space,
    SLUICE_REAL_CF_DOMAIN: local.domain,
    SLUICE_REAL_CF_ROUTER: local.routerUrl,
    SLUICE_REAL_CF_USERNAME: local.credentials.username,
    SLUICE_REAL_CF_PASSWORD: local.credentials.password,
    ...change,
  };
}

describe('npm run conformance:real', () => {
  it('has nothing to verify without an endpoint, and says how to give one', async () => {
    const { status, stdout, report } = await run({});
    expect(status).toBe(2);
    expect(stdout).toContain('nothing to verify');
    expect(stdout).toContain('SLUICE_REAL_OCP_TOKEN');
    expect(report).toBeUndefined();
  });

  it('complains about an endpoint that is given by halves', async () => {
    const { status, stderr } = await run({ SLUICE_REAL_CF_API: local.apiUrl });
    expect(status).toBe(2);
    expect(stderr).toContain('SLUICE_REAL_CF_ORG');
  });

  it(
    'runs the suite, removes what it made, and reports',
    async () => {
      const { status, stdout, report } = await run({ SLUICE_REAL_HOST_SOCKET: host.socket }, [
        '--only',
        'before anything|that runs',
      ]);
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('verified') });
      const [endpoint] = report?.endpoints ?? [];
      expect(endpoint).toMatchObject({ kind: 'selfhosted', platform: { kind: 'selfhosted' } });
      const results = endpoint?.cases.map(({ result }) => result) ?? [];
      expect(results.filter((one) => one === 'passed').length).toBeGreaterThan(10);
      // Faults cannot be given to a real platform: such cases are not counted as verified.
      expect(results).toContain('left out');
      expect(endpoint?.cleanUp.left).toEqual([]);
    },
    RUN_MS,
  );

  it(
    'fails with the platform’s reason, and is clean all the same',
    async () => {
      const env = cloudFoundry({ SLUICE_REAL_CF_SPACE: 'nowhere' });
      const { status, stdout, report } = await run(env, ['--only', 'describes the endpoint']);
      expect(status).toBe(1);
      expect(stdout).toContain('NOT verified');
      expect(report?.endpoints[0]?.cases).toMatchObject([{ result: 'failed' }]);
      expect(report?.endpoints[0]?.platform).toContain('there is no space nowhere');
      expect(JSON.stringify(report) + stdout).not.toContain(`"${local.credentials.password}"`);
    },
    RUN_MS,
  );

  it(
    'removes what an interrupted run left',
    async () => {
      const child = spawn(
        process.execPath,
        [MAIN, '--report', join(dir, 'interrupted'), '--only', 'that runs'],
        {
          env: { PATH: process.env['PATH'] ?? '', SLUICE_REAL_SLOWNESS: '4', ...cloudFoundry() },
          stdio: 'ignore',
        },
      );
      const ended = new Promise<number | null>((done) => child.on('close', done));
      await applicationsWhen((names) => names.some((name) => name.startsWith('slc-')));
      child.kill('SIGINT');
      expect(await ended).toBe(1);
      expect(await applications()).toEqual([]);
    },
    RUN_MS,
  );
});

async function applicationsWhen(holds: (names: readonly string[]) => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (holds(await applications())) return;
    await systemClock.sleep(100);
  }
  throw new Error('the suite deployed nothing');
}

async function applications(): Promise<readonly string[]> {
  const { username, password } = local.credentials;
  const root = (await (await fetch(local.apiUrl)).json()) as { links: { login: { href: string } } };
  const token = await fetch(`${root.links.login.href}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('cf:')}` },
    body: new URLSearchParams({ grant_type: 'password', username, password }),
  });
  const { access_token } = (await token.json()) as { access_token: string };
  const headers = { authorization: `bearer ${access_token}` };
  const answer = await fetch(`${local.apiUrl}/v3/apps`, { headers });
  const { resources } = (await answer.json()) as { resources: { name: string }[] };
  return resources.map(({ name }) => name);
}
