import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RunningInstance } from '../../src/core/runner.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { createInstance, type InstanceDeps } from '../../src/runner/instance.ts';
import type { OnOutput, ProcessExit, SupervisedProcess } from '../../src/runner/supervised-process.ts';
import { specOf } from './applications.ts';

/** One launched process that does what the test says. */
interface Puppet {
  print(text: string): void;
  exit(reason: string): void;
  readonly terminated: number[];
}

let clock: ReturnType<typeof virtualClock>;
let puppets: Puppet[];
let seen: RunningInstance['state'][];
let deps: InstanceDeps;

beforeEach(() => {
  clock = virtualClock(1_000_000);
  puppets = [];
  seen = [];
  deps = {
    clock,
    random: () => 0,
    launch: async (_spec, _port, onOutput) => puppet(onOutput),
    port: async () => 4000,
    changed: (instance) => {
      if (seen.at(-1) !== instance.state) seen.push(instance.state);
    },
    printed: () => undefined,
  };
});

function puppet(onOutput: OnOutput): SupervisedProcess {
  let exit: (exit: ProcessExit) => void = () => undefined;
  const exited = new Promise<ProcessExit>((resolve) => {
    exit = resolve;
  });
  const terminated: number[] = [];
  puppets.push({
    print: (text) => onOutput('out', text),
    exit: (reason) => exit({ code: 1, reason }),
    terminated,
  });
  return {
    identity: { pid: 100 + puppets.length, startTicks: 1 },
    exited,
    async terminate(graceMs) {
      terminated.push(graceMs);
      exit({ code: undefined, reason: 'killed by SIGTERM' });
      await exited;
    },
    leave: () => undefined,
  };
}

/** Lets promises that are due run; time stands still. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const spec = specOf('/srv/app', 'web', {
  startDetection: { kind: 'log', pattern: 'listening' },
  startTimeoutMs: 5_000,
});

describe('instance', () => {
  it('starts, becomes ready by its line, crashes, waits, and starts again', async () => {
    const instance = createInstance(spec, 0, deps);
    await instance.start();
    expect(instance.view()).toMatchObject({ state: 'starting', pid: 101, port: 4000 });
    puppets[0]?.print('listening now');
    await settle();
    expect(instance.view()).toMatchObject({ state: 'running', restarts: 0 });
    puppets[0]?.exit('exited with code 1');
    await settle();
    expect(instance.view()).toMatchObject({
      state: 'backing-off',
      reason: 'exited with code 1',
      exitCode: 1,
      pid: undefined,
    });
    clock.advance(499);
    await settle();
    expect(puppets).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(instance.view()).toMatchObject({ state: 'starting', pid: 102, restarts: 1 });
    await instance.stop();
    expect(seen).toEqual(['starting', 'running', 'backing-off', 'starting', 'stopping', 'stopped']);
  });

  it('names a crash loop, tries on, and leaves it after a proven run', async () => {
    const instance = createInstance(spec, 0, deps);
    await instance.start();
    for (let turn = 0; turn < 5; turn++) {
      clock.advance(turn === 0 ? 0 : 500 * 2 ** (turn - 1));
      await settle();
      puppets[turn]?.exit('exited with code 1');
      await settle();
    }
    expect(instance.view().state).toBe('crash-loop');
    clock.advance(30_000);
    await settle();
    expect(puppets).toHaveLength(6);
    puppets[5]?.print('listening');
    await settle();
    clock.advance(30_000);
    puppets[5]?.exit('exited with code 1');
    await settle();
    expect(instance.view().state).toBe('backing-off');
    await instance.stop();
  });

  it('ends a start that takes too long with the grace, and tries again', async () => {
    const instance = createInstance(spec, 0, deps);
    await instance.start();
    clock.advance(5_000);
    await settle();
    expect(puppets[0]?.terminated).toEqual([spec.stopGraceMs]);
    expect(instance.view()).toMatchObject({ state: 'backing-off', reason: 'not ready after 5s' });
    await instance.stop();
  });

  it('counts what cannot even be spawned as an exit, and says why in its log', async () => {
    const instance = createInstance(spec, 0, {
      ...deps,
      launch: () => Promise.reject(new Error('no such folder')),
    });
    await instance.start();
    expect(instance.view()).toMatchObject({ state: 'backing-off', reason: 'cannot start: no such folder' });
    expect(instance.logs.last(1)[0]?.text).toBe('cannot start: no such folder');
    await instance.stop();
    expect(instance.view().state).toBe('stopped');
  });

  it('takes over a process that is ready already without asking it again', async () => {
    const instance = createInstance(spec, 4000, deps, { process: puppet, ready: true, restarts: 3 });
    await instance.start();
    expect(instance.view()).toMatchObject({ state: 'running', restarts: 3, port: 4000 });
    puppets[0]?.exit('ended');
    await settle();
    clock.advance(500);
    await settle();
    expect(instance.view()).toMatchObject({ state: 'starting', restarts: 4 });
    await instance.stop();
  });

  it('says nothing any more once it was left', async () => {
    const instance = createInstance(spec, 0, deps);
    await instance.start();
    await instance.leave();
    const before = seen.length;
    puppets[0]?.exit('exited with code 0');
    await settle();
    clock.advance(60_000);
    await settle();
    expect(seen).toHaveLength(before);
    expect(puppets).toHaveLength(1);
  });
});
