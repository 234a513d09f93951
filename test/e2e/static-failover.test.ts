import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { startLoad } from '../../src/app/demo/load.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { findFreePort } from '../../src/runner/free-port.ts';
import { example, type Serving, serve } from '../support/cli.ts';

interface Origin {
  readonly url: string;
  kill(): Promise<void>;
}

let dir: string;
let serving: Serving | undefined;
const running = new Set<ChildProcess>();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-static-'));
});

afterEach(async () => {
  await serving?.stop();
  serving = undefined;
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await rm(dir, { recursive: true, force: true });
});

async function startOrigin(name: string, port: number): Promise<Origin> {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: example('shop'),
    env: { PATH: process.env['PATH'], PORT: String(port), SLUICE_PLATFORM: name },
  });
  running.add(child);
  await new Promise<void>((ready) => child.stdout.once('data', () => ready()));
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () =>
      new Promise((done) => {
        child.once('exit', () => {
          running.delete(child);
          done();
        });
        child.kill('SIGKILL');
      }),
  };
}

async function statusOf(
  adminUrl: string,
): Promise<{ verdicts: Record<string, string>; shares: Record<string, number> }> {
  const view = (await (await request(`${adminUrl}/v1/status`)).body.json()) as {
    applications: { platforms: { name: string; share: number; verdict: { state: string } }[] }[];
  };
  const platforms = view.applications[0]!.platforms;
  return {
    verdicts: Object.fromEntries(platforms.map((one) => [one.name, one.verdict.state])),
    shares: Object.fromEntries(platforms.map((one) => [one.name, one.share])),
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 15_000;
  while (!(await holds())) {
    if (systemClock.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(50);
  }
}

/** An origin dies under load and comes back; whatever the gateway was told them by. */
async function survivesAnOutage(
  args: readonly string[],
  dying: Origin & { readonly name: string; readonly port: number },
): Promise<void> {
  const { name } = dying;
  serving = await serve(args, dir);
  const { adminUrl, url } = serving;
  const share = async (): Promise<number> => (await statusOf(adminUrl)).shares[name] ?? 0;
  await until('both serve', async () => (await share()) > 0 && (await share()) < 1);
  const load = startLoad(url, 100, systemClock);
  await until('both are used', async () => new Set(load.samples.map((one) => one.platform)).size === 2);
  await dying.kill();
  await until(`${name} is down`, async () => (await statusOf(adminUrl)).verdicts[name] === 'down');
  await startOrigin(name, dying.port);
  await until(`${name} has traffic again`, async () => (await share()) > 0);
  await load.stop();
  expect(load.samples.filter((one) => one.safe && !one.ok)).toEqual([]);
  expect(load.samples.length).toBeGreaterThan(100);
}

async function twoOrigins(first: string, second: string) {
  const port = await findFreePort(new Set(), systemRandom);
  const other = await findFreePort(new Set([port]), systemRandom);
  return [
    { ...(await startOrigin(first, port)), name: first, port },
    { ...(await startOrigin(second, other)), name: second, port: other },
  ] as const;
}

describe('running origins that nobody deployed', () => {
  it('fail over with `serve --origin`, without any file', async () => {
    const [a, b] = await twoOrigins('a', 'b');
    await survivesAnOutage(['--origin', `a=${a.url}`, '--origin', `b=${b.url}`, '--policy', 'demo'], a);
  }, 40_000);

  it('fail over with the example file, config/examples/static.yaml', async () => {
    const [blue, green] = await twoOrigins('blue', 'green');
    const text = await readFile(resolve(import.meta.dirname, '../../config/examples/static.yaml'), 'utf8');
    // The example's addresses are nobody's here; all else stays as it is but for the pace.
    const here = text
      .replace('"http://10.1.0.5:8080", "http://10.1.0.6:8080"', `"${blue.url}"`)
      .replace('http://10.2.0.5:8080', green.url)
      .replace('https://standby.example.net', 'http://127.0.0.1:1')
      .replace('    targets:', '    policy: demo\n    targets:');
    expect(here).toContain(blue.url);
    expect(here).toContain(green.url);
    await writeFile(join(dir, 'sluice.yaml'), here);
    await survivesAnOutage([], blue);
  }, 40_000);
});
