import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { type Load, startLoad } from '../../src/app/demo/load.ts';
import { buildProgram } from '../../src/app/run-cli.ts';
import { formatCaught } from '../../src/cli/print-error.ts';
import type { DrillRecord } from '../../src/core/drill.ts';
import type { StatusView } from '../../src/core/status.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Serving, serveAsWritten, sluice } from '../support/cli.ts';
import { type FakeIo, fakeIo } from '../support/fake-io.ts';
import { type OriginServer, originServer } from '../support/origin-server.ts';
import { until } from '../support/processes.ts';

let dir: string;
let origins: readonly OriginServer[] = [];
let serving: Serving;
let load: Load;

/** Slow enough that a busy machine does not look like a platform that cannot carry. */
const ANSWER_MS = 200;

function answering(name: string) {
  return (_request: unknown, response: ServerResponse): void => {
    systemClock.after(ANSWER_MS, () => {
      response.setHeader('x-platform', name);
      response.end('hello\n');
    });
  };
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-drill-'));
  origins = await Promise.all(['a', 'b'].map((name) => originServer(answering(name))));
  const file = join(dir, 'sluice.yaml');
  await writeFile(
    file,
    `version: 1
platforms:
  a: { provider: static, origins: ["${origins[0]?.url}"] }
  b: { provider: static, origins: ["${origins[1]?.url}"] }
applications:
  shop:
    targets: { a: { weight: 3 }, b: {} }
    policy: { ramp: { steps: [50%, 100%], every: 500ms } }
    drills: [ { name: lose-a, platform: a, cron: 0 10 1 1 *, for: 1s, expect: { shiftWithin: 10s, errors: 0% } } ]
gateway: { workers: 2, listen: [ { port: 0 } ], admin: { port: 0 } }
`,
  );
  serving = await serveAsWritten(['-f', file], dir);
  load = startLoad(serving.url, 60, systemClock);
  await until(
    'both serve',
    async () => {
      const { applications } = await view<StatusView>('/v1/status');
      return applications[0]?.platforms.every((one) => one.share > 0 && one.rps > 1) === true;
    },
    30_000,
  );
}, 60_000);

afterAll(async () => {
  await load.stop();
  await serving.stop();
  await Promise.all(origins.map((origin) => origin.close()));
  await rm(dir, { recursive: true, force: true });
});

async function view<T>(path: string): Promise<T> {
  return (await (await request(`${serving.adminUrl}${path}`)).body.json()) as T;
}

interface Ran extends Omit<FakeIo, 'status'> {
  readonly status: number;
}

/** The command line in this process; Ctrl-C as soon as it prints `interruptAt`. */
async function run(
  args: readonly string[],
  { interruptAt }: { readonly interruptAt?: string } = {},
): Promise<Ran> {
  const fake = fakeIo({
    cwd: dir,
    onStdout(text) {
      if (interruptAt !== undefined && text.includes(interruptAt)) fake.interrupt();
    },
  });
  const whole = [...args, '--server', serving.adminUrl];
  try {
    await buildProgram(fake.io, 'unused', whole).parseAsync(whole, { from: 'user' });
    return { ...fake, status: fake.status() ?? 0 };
  } catch (caught) {
    const { text, status } = formatCaught(caught);
    fake.io.stderr(text);
    return { ...fake, status };
  }
}

// One gateway under load for all of them, in this order.
describe('a drill of a platform that serves', () => {
  it('costs no request and prints what it has shown', async () => {
    const sent = load.samples.length;
    // As a user would: the built program, in a process of its own.
    const drill = await sluice(['drill', 'a', '--server', serving.adminUrl], dir);
    expect([drill.status, drill.stdout + drill.stderr]).toEqual([
      0,
      expect.stringMatching(/^shop: drill lose-a of a passed$/m),
    ]);
    expect(drill.stdout).toMatch(/^traffic left +\d+\.\d s +within 10\.0 s$/m);
    expect(drill.stdout).toMatch(/^requests +\d+, 0 failed \(0 %\) +at most 0 % failed$/m);
    expect(drill.stdout).toMatch(/^carried +up to \d+ rps, capacity unknown by b$/m);
    expect(drill.stdout).toMatch(/^back at its share +after \d+\.\d s$/m);
    expect(drill.stderr).toMatch(/shop: drill lose-a takes a out of service/);
    const during = load.samples.slice(sent);
    expect(during.length).toBeGreaterThan(60);
    expect(during.filter(({ ok }) => !ok)).toEqual([]);
    const [record] = await view<DrillRecord[]>('/v1/drills');
    expect(record).toMatchObject({ outcome: 'passed', evidence: { failed: 0, carriers: { b: 1 } } });
    expect(record?.evidence.requests).toBeGreaterThan(30);
    // While it was away nobody was sent there.
    const left = (record?.startedAt ?? 0) + (record?.evidence.shiftMs ?? 0);
    const away = load.samples.filter(({ sentAt }) => sentAt > left && sentAt < left + 900);
    expect(new Set(away.map(({ platform }) => platform))).toEqual(new Set(['b']));
  }, 60_000);

  it('proves it in status; who was not drilled stays unproven', async () => {
    const status = (await run(['status'])).stdout();
    expect(status).toMatch(/^a +.* 0m ago /m);
    expect(status).toMatch(/^b +.* unproven /m);
    expect((await run(['drills'])).stdout()).toMatch(/ shop +a +lose-a +passed +\d/);
  });

  it('goes on when nobody watches any more, until its order is taken back', async () => {
    const { status, stderr } = await run(['drill', 'b', '--for', '10m', '--json'], {
      interruptAt: '"drill.started"',
    });
    expect([status, stderr()]).toEqual([
      130,
      expect.stringMatching(/^dr-\w+ goes on in the server; `sluice undrain b` ends it$/m),
    ]);
    const latest = async () => (await view<DrillRecord[]>('/v1/drills')).at(-1);
    await until('b is away', async () => (await latest())?.phase === 'away');
    expect((await run(['undrain', 'b'])).stdout()).toMatch(/^lifted/);
    await until('it is over', async () => (await latest())?.outcome !== undefined);
    expect(await latest()).toMatchObject({
      ...{ name: 'by hand', outcome: 'interrupted', why: ['its order was taken back'] },
    });
  }, 30_000);

  it('does not begin while it is not safe, and says why', async () => {
    await run(['hold']);
    const { status, stderr } = await run(['drill', 'a']);
    expect(status).toBe(4);
    expect(stderr()).toMatch(/✖ the drill of a did not begin \[SAFETY_VETO\]/);
    expect(stderr()).toMatch(/ordered hold of everything/);
    expect((await view<DrillRecord[]>('/v1/drills')).at(-1)).toMatchObject({ outcome: 'blocked' });
  });

  it('refuses a time that is none', async () => {
    expect((await run(['drill', 'a', '--for', 'ever'])).status).toBe(2);
    expect((await run(['drill', 'a', '--for', '10ms'])).status).toBe(2);
    expect((await run(['drill', 'nowhere'])).status).toBe(2);
  });
});
