import { describe, expect, it } from '@jest/globals';
import type { OtherProcessSpec, TargetSpec } from '../../../src/core/provider.ts';
import { eventually, type Suite } from './suite.ts';

const WORK = "node -e 'setInterval(() => 0, 1000)'";

/** Processes beside web, on one application; the cases build on each other. */
export function withProcesses(suite: Suite): void {
  describe('an application with processes beside web', () => {
    const app = 'conf-procs';
    const worker = (instances: number | undefined, command = WORK): OtherProcessSpec => ({
      ...{ name: 'worker', command, memoryBytes: 32 * 1024 * 1024, instances },
    });
    const wish = (number: number, ...processes: OtherProcessSpec[]): TargetSpec => ({
      ...suite.wish(app, number, { instances: 1 }),
      processes,
    });
    const seenNow = async () => (await suite.observe(app)).processes ?? {};

    async function applied(want: TargetSpec) {
      await suite.drive.deploy(want, suite.ok);
      const artifact = await suite.drive.stage(want, suite.ok);
      return suite.drive.settle(suite.drive.fresh().processes!.apply(suite.drive.context, want, artifact));
    }
    async function scaled(instances: number): Promise<void> {
      const { drive } = suite;
      await drive.fresh().processes!.scale(drive.context, app, 'worker', instances);
      await eventually(async () => {
        expect((await seenNow())['worker']).toMatchObject({ desired: instances, running: instances });
      }, 30_000);
    }

    it('runs them beside web, which has its own instances and origins', async () => {
      const want = wish(1, worker(2));
      expect(await applied(want)).toMatchObject({ state: 'succeeded' });
      await eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen.processes).toMatchObject({
          worker: { desired: 2, running: 2, release: want.release.id },
        });
        expect([seen.desired, seen.instances.length]).toEqual([1, 1]);
      });
      await suite.answeredBy(app, want.release.id);
    });

    it('changes nothing when it is repeated', async () => {
      expect(await applied(wish(1, worker(2)))).toMatchObject({ state: 'succeeded' });
      expect((await seenNow())['worker']).toMatchObject({ desired: 2, running: 2 });
    });

    it('says how many there are, down to none and up again', async () => {
      await scaled(0);
      await scaled(1);
    });

    it('brings them to the next release and leaves their number to whoever follows traffic', async () => {
      const next = wish(2, worker(undefined, `${WORK} second`));
      expect(await applied(next)).toMatchObject({ state: 'succeeded' });
      await eventually(async () => {
        expect((await seenNow())['worker']).toMatchObject({
          ...{ desired: 1, running: 1, release: next.release.id },
        });
      }, 30_000);
    });

    it('starts none of one that is new and follows traffic', async () => {
      const fresh: OtherProcessSpec = { ...worker(undefined), name: 'fresh' };
      expect(await applied(wish(2, worker(undefined, `${WORK} second`), fresh))).toMatchObject({
        state: 'succeeded',
      });
      expect((await seenNow())['fresh']).toMatchObject({ desired: 0, running: 0 });
    });

    it('says so when one does not start, and web serves on', async () => {
      const settled = await applied(wish(3, worker(1, 'echo no work today; exit 3')));
      expect(settled).toMatchObject({ state: 'failed', error: { class: 'startFailed' } });
      expect((await suite.observe(app)).serving).toBe(wish(3).release.id);
    });

    it('removes those that are not wanted any more', async () => {
      expect(await applied(wish(3))).toMatchObject({ state: 'succeeded' });
      await eventually(async () => {
        for (const one of Object.values(await seenNow()))
          expect(one).toMatchObject({ desired: 0, running: 0 });
      }, 30_000);
    });

    it('leaves nothing of them when the application is destroyed', async () => {
      await applied(wish(4, worker(1)));
      await suite.destroy(app);
      expect(await suite.observe(app)).toMatchObject({ exists: false });
      expect(await seenNow()).toEqual({});
    });
  });
}
