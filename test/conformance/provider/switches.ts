import { describe, expect, it } from '@jest/globals';
import type { OtherProcessSpec } from '../../../src/core/provider.ts';
import { eventually, running, type Suite, underTraffic } from './suite.ts';

const WORK = "node -e 'setInterval(() => 0, 1000)'";

/** Stopped, started and restarted on one application; the cases build on each other. */
export function thatSwitches(suite: Suite): void {
  describe('an application that is stopped, started and restarted', () => {
    const app = suite.app('switch');
    const context = () => suite.drive.context;
    const worker: OtherProcessSpec = {
      name: 'worker',
      command: WORK,
      memoryBytes: 32 * 1024 * 1024,
      instances: 1,
    };
    const want = () => ({ ...suite.wish(app, 1), processes: [worker] });
    const power = () => suite.drive.fresh().power!;

    /** Of all processes that answer; behind a router it takes a few requests to meet each. */
    async function pids(): Promise<ReadonlySet<string>> {
      const found = new Set<string>();
      const seen = await suite.observe(app);
      for (let turn = 0; turn < 12; turn++) {
        for (const { headers } of await suite.answers(seen)) found.add(String(headers['x-pid']));
      }
      return found;
    }

    async function restart(): Promise<void> {
      const { restartInstance } = power();
      if (restartInstance === undefined) {
        await suite.drive.succeed(power().restart(context(), app, 'web'));
        return;
      }
      for (const { id } of running(await suite.observe(app))) {
        await suite.drive.succeed(power().restartInstance!(context(), app, id));
      }
    }

    it('runs anew with the same release, and as many instances', async () => {
      await suite.drive.deploy(want(), suite.ok);
      const artifact = await suite.drive.stage(want(), suite.ok);
      const { processes } = suite.drive.fresh();
      await suite.drive.succeed(processes!.apply(context(), want(), artifact));
      const before = await pids();
      if (power().restartInstance === undefined) {
        const { failures } = await underTraffic(suite, app, restart);
        expect(failures).toEqual([]);
      } else await restart();
      await eventually(async () => {
        expect(running(await suite.observe(app))).toHaveLength(2);
        const after = await pids();
        expect(after.size).toBeGreaterThan(0);
        expect([...after].filter((pid) => before.has(pid))).toEqual([]);
      });
      await suite.answeredBy(app, want().release.id);
      const changes = await suite.drive.fresh().plan(context(), want(), await suite.observe(app));
      expect(changes.filter(({ action }) => action !== 'none')).toEqual([]);
    });

    it('runs one process beside web anew, and web goes on', async () => {
      if (suite.lacks('process restart')) return;
      const before = await pids();
      await suite.drive.succeed(power().restart(context(), app, 'worker'));
      await eventually(async () => {
        const { processes = {} } = await suite.observe(app);
        expect(processes['worker']).toMatchObject({ desired: 1, running: 1 });
      });
      expect([...(await pids())].every((pid) => before.has(pid))).toBe(true);
    });

    it('stops with all its processes, twice, and stays deployed', async () => {
      for (let turn = 0; turn < 2; turn++) await suite.drive.succeed(power().stop(context(), app));
      await eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen).toMatchObject({ exists: true, desired: 0, serving: undefined });
        expect(running(seen)).toEqual([]);
        for (const { running: left } of Object.values(seen.processes ?? {})) expect(left).toBe(0);
      });
    });

    it('starts again as it was, twice', async () => {
      for (let turn = 0; turn < 2; turn++) await suite.drive.succeed(power().start(context(), app));
      await suite.answeredBy(app, want().release.id);
      await eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen.desired).toBe(2);
        expect(running(seen)).toHaveLength(2);
        expect(seen.processes?.['worker']).toMatchObject({ desired: 1, running: 1 });
      });
    });

    it('starts no process that was given up while it was stopped', async () => {
      await suite.drive.succeed(power().stop(context(), app));
      const { processes: beside } = suite.drive.fresh();
      await beside!.scale(context(), app, 'worker', 0);
      await suite.drive.succeed(power().start(context(), app));
      await suite.answeredBy(app, want().release.id);
      const { processes = {} } = await suite.observe(app);
      expect(processes['worker']).toMatchObject({ desired: 0, running: 0 });
      await beside!.scale(context(), app, 'worker', 1);
    });

    it('is started by the next deployment', async () => {
      await suite.drive.succeed(power().stop(context(), app));
      const next = { ...suite.wish(app, 2), processes: [worker] };
      await suite.drive.deploy(next, suite.ok);
      await suite.answeredBy(app, next.release.id);
      expect(running(await suite.observe(app))).toHaveLength(2);
    });

    it('is not stopped, started or restarted where it is not', async () => {
      await suite.destroy(app);
      for (const call of [
        () => power().stop(context(), app),
        () => power().start(context(), app),
        () => power().restart(context(), app, 'worker'),
      ]) {
        expect((await suite.drive.refusal(call())).class).toBe('notFound');
      }
    });
  });
}
