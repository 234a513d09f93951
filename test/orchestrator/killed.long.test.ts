import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type LocalWorld, openLocalWorld } from '../support/local-world.ts';
import { type OrchestratorLife, openOrchestratorLife } from './orchestrator-life.ts';
import { type Holdings, whatIsThere } from './what-is-there.ts';

/** Compiled: it runs in a process of its own, which dies. */
const PROGRAM = resolve(import.meta.dirname, '../../dist/test/orchestrator/kill-program.js');
/** At every write of the journal; or, while something is being mended, at every so many. */
const STRIDE = Number(process.env['SLUICE_KILL_STRIDE'] ?? 1);

const folder = mkdtempSync(join(tmpdir(), 'sluice-migrated-'));
/** One line for each migration that ran, with its release. */
const migrated = join(folder, 'releases');

let world: LocalWorld;
/** Of one release on all platforms, with nothing left over: every end must look like this. */
let clean: Holdings;

beforeAll(async () => {
  world = await openLocalWorld({
    speed: 0.01,
    instances: 1,
    // Counted here, outside of all platforms.
    migrate: `echo "$SLUICE_RELEASE" >> ${migrated}`,
    deploy: '{ strategy: canary, steps: [50%], every: 100ms, onTargetFailure: abort-all }',
  });
  await world.write('0');
  for (const content of ['0', '1']) {
    await world.write(content);
    const life = await open();
    expect((await life.deploy()).outcome).toBe('done');
    await life.close();
  }
  clean = await whatIsThere(world);
}, 60_000);
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const migrations = (): readonly string[] => readFileSync(migrated, 'utf8').trim().split('\n');

const open = (): Promise<OrchestratorLife> => openOrchestratorLife({ dir: world.dir, env: world.env });

/** What the program printed, or undefined when it died. */
function deployAndDie(at: number, when: 'before' | 'after'): Promise<{ writes: number } | undefined> {
  const child = spawn(process.execPath, [PROGRAM, world.dir, String(at), when], {
    env: { ...world.env, PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') done(undefined);
      else if (code === 0) done(JSON.parse(text) as { writes: number });
      else fail(new Error(`the program ended with ${code}: ${errors}`));
    });
  });
}

it(`killed at ${STRIDE === 1 ? 'each write' : 'writes'} of its journal goes on to exactly one live release everywhere, with nothing left over`, async () => {
  let killed = 0;
  let total = 0;
  const stood: string[] = [];
  for (let at = 1; ; at += 1) {
    const when = at % 2 === 0 ? 'before' : 'after';
    if ((at - 1) % STRIDE !== 0) continue;
    await world.write(`killed ${when} ${at}`);
    const ended = await deployAndDie(at, when);
    if (ended !== undefined) {
      total = ended.writes;
      break;
    }
    killed += 1;
    const life = await open();
    const broken = (await life.orchestrator.deployments()).at(-1);
    stood.push(
      `${at} ${when}: ${Object.values(broken?.targets ?? {})
        .map(({ phase }) => phase)
        .join(' ')}`,
    );
    // The next `sluice deploy` goes on as well as `deployments resume` does. Killed before its first write it left nothing.
    const isOpen = broken !== undefined && broken.outcome === undefined;
    const done = isOpen && killed % 2 === 0 ? await life.resume(broken.id) : await life.deploy();
    await life.close();
    expect({ at, when, outcome: done.outcome, targets: done.targets }).toMatchObject({ outcome: 'done' });
    expect({ at, when, ...(await whatIsThere(world)) }).toEqual({ at, when, ...clean });
    const own = migrations().filter((release) => release === done.release.id);
    expect({ at, when, migrations: own.length }).toEqual({ at, when, migrations: 1 });
  }
  process.stdout.write(
    `killed at ${killed} points of ${total} writes of the journal:\n${stood.join('\n')}\n`,
  );
  expect(new Set(migrations()).size).toBe(migrations().length);
  expect(killed).toBeGreaterThanOrEqual(Math.floor(total / STRIDE));
  expect(total).toBeGreaterThan(30);
}, 3_600_000);
