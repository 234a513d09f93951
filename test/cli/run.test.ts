import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Controller, createController } from '../../src/app/controller.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { fakeIo } from '../support/fake-io.ts';
import { until } from '../support/processes.ts';
import { type Rack, rack } from '../support/rack.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-ticks-'));
/** One line for each time that the clock ran it. */
const ticks = join(folder, 'ticks');

const TASKS = `    env: { GREETING: hello }
    tasks:
      migrate: { command: 'echo "moving tables of $SLUICE_RELEASE"', when: release, class: contract }
      report: { command: 'echo "$GREETING report"; echo done >&2' }
      sleep: { command: exec sleep 60 }
    processes:
      tick: { command: 'echo "$SLUICE_RELEASE" >> ${ticks}', schedule: "* * * * * *" }`;

let world: Rack;
beforeAll(async () => {
  world = await rack('', TASKS);
  const planned = world.run(['plan']);
  expect(await planned.ended).toBe(0);
  expect(planned.stdout()).toMatch(/\+ task migrate: run once: echo .* \(contract\) {2}\(destructive\)/);
  const deployed = world.run(['deploy']);
  expect(await deployed.ended).toBe(0);
  expect(deployed.stdout()).toMatch(/rack app \| moving tables of r-[0-9a-f]{10}/);
  expect(deployed.stdout()).toMatch(
    /shop: task migrate on rack ended well after .* \(run migrate-[0-9a-f]{10}-1\)/,
  );
}, 30_000);
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

describe('sluice run, without a server', () => {
  it('prints what the task prints, and ends as it does', async () => {
    const run = world.run(['run', 'shop', 'report']);
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe('hello report\ndone\n');
    expect(run.stderr()).toMatch(/shop: task report begins on rack with r-[0-9a-f]{10} \(by hand; run h-/);
  });

  it('runs any command behind --, its words as they were given', async () => {
    const run = world.run(['run', 'shop', '--', 'printf', '%s|%s', 'one word', '$GREETING']);
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe('one word|$GREETING\n');
    const shell = world.run(['run', 'shop', '--', 'echo $GREETING | tr a-z A-Z']);
    expect(await shell.ended).toBe(0);
    expect(shell.stdout()).toBe('HELLO\n');
  });

  it('fails as the command does, with its last words', async () => {
    const run = world.run(['run', 'shop', '--', 'echo no such table; exit 3']);
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toContain('✖ task command failed [TASK_FAILED]');
    expect(run.stderr()).toContain('exited with code 3');
  });

  it('cancels it with Ctrl-C', async () => {
    const run = world.run(['run', 'shop', 'sleep']);
    await until('it is begun', async () => run.stderr().includes('begins on rack'));
    run.interrupt();
    expect(await run.ended).toBe(130);
    const listed = world.run(['tasks', '--json']);
    expect(await listed.ended).toBe(0);
    const records = listed
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.at(-1)).toMatchObject({ task: 'sleep', state: 'failed' });
  }, 20_000);

  it('lets a person say how a run ended', async () => {
    const listed = world.run(['tasks', '--json']);
    await listed.ended;
    const records = listed
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { run: string; state: string });
    const { run } = records.find(({ state }) => state === 'failed')!;
    const settled = world.run(['tasks', 'settle', run, '--as', 'succeeded']);
    expect([await settled.ended, settled.stdout()]).toEqual([0, `${run} on rack is taken as succeeded\n`]);
    const again = world.run(['tasks', 'settle', run, '--as', 'failed']);
    expect([await again.ended, again.stderr()]).toEqual([
      2,
      expect.stringContaining(`no run ${run} is open`),
    ]);
  });

  it('says what is wrong with what was asked for', async () => {
    const unknown = world.run(['run', 'shop', 'repotr']);
    expect(await unknown.ended).toBe(2);
    expect(unknown.stderr()).toContain('one of migrate, report, sleep, or a command behind --');
    const nothing = world.run(['run', 'shop']);
    expect(await nothing.ended).toBe(2);
  });
});

describe('sluice run, with a server', () => {
  let controller: Controller;
  let server: readonly string[];

  beforeAll(async () => {
    const settings = readSettings(fakeIo({ cwd: world.dir }).io, world.file);
    const { gateway } = settings;
    controller = await createController({
      settings: { ...settings, gateway: { ...gateway, admin: { ...gateway.admin, port: 0 } } },
      files: new Map(),
      read: () => ({ settings, diagnostics: [], files: new Map() }),
      hide() {},
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      send() {},
    });
    await controller.start();
    server = ['--server', `http://127.0.0.1:${controller.adminPort}`];
  });
  afterAll(() => controller.close());

  it('runs it there, and shows what it prints', async () => {
    const run = world.run(['run', 'shop', 'report', ...server]);
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toBe('hello report\ndone\n');
  });

  it('leaves it there when nobody watches any more, until it is cancelled', async () => {
    const run = world.run(['run', 'shop', 'sleep', ...server]);
    await until('it is begun', async () => run.stderr().includes('begins on rack'));
    run.interrupt();
    expect(await run.ended).toBe(130);
    const [, id = ''] = /(h-\w+) goes on/.exec(run.stderr()) ?? [];
    const listed = world.run(['tasks', ...server]);
    expect(await listed.ended).toBe(0);
    expect(listed.stdout()).toMatch(new RegExp(`^${id} .* by hand .* under way`, 'm'));
    const cancelled = world.run(['tasks', 'cancel', id, ...server]);
    expect(await cancelled.ended).toBe(0);
    await until('it has ended', async () => {
      const again = world.run(['tasks', ...server]);
      await again.ended;
      return new RegExp(`^${id} .* failed`, 'm').test(again.stdout());
    });
  }, 20_000);

  it('runs processes by the clock, each of their times once, with the release that is live', async () => {
    const read = (): readonly string[] =>
      existsSync(ticks) ? readFileSync(ticks, 'utf8').trim().split('\n') : [];
    await until('it ran three times', async () => read().length >= 3, 10_000);
    expect(new Set(read()).size).toBe(1);
    const listed = world.run(['tasks', ...server, '--json']);
    await listed.ended;
    const records = listed
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ task }) => task === 'tick');
    expect(new Set(records.map(({ run }) => run)).size).toBe(records.length);
    expect(records[0]).toMatchObject({ trigger: 'schedule', platform: 'rack', state: 'succeeded' });
  }, 20_000);
});
