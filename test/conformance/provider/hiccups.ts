import { describe, expect, it } from '@jest/globals';
import { flapping, type Suite } from './suite.ts';

/** Idempotence under an API that answers only sometimes. */
export function throughHiccups(suite: Suite): void {
  describe('an API that fails now and then', () => {
    it('delays a deployment, and doubles nothing', async () => {
      if (!suite.has('api-502')) return;
      const app = suite.app('hiccups');
      const { drive } = suite;
      const want = suite.wish(app, 1, { instances: 1 });
      await flapping(suite, 'api-502', async () => {
        const artifact = await drive.persist(() => drive.fresh().stage(drive.context, want, suite.ok));
        if (!artifact) throw new Error('stage succeeded without an artifact');
        await drive.persist(() => drive.fresh().apply(drive.context, want, artifact));
      });
      await suite.answeredBy(app, want.release.id);
      const seen = await suite.observe(app);
      expect(seen.instances).toHaveLength(1);
      expect(seen.releases).toEqual([{ id: want.release.id, state: 'running' }]);
      await suite.destroy(app);
    });

    it('delays a task, and runs it once', async () => {
      if (suite.lacks('tasks')) return;
      if (!suite.has('api-502')) return;
      const app = suite.app('hiccup-task');
      const { drive } = suite;
      const want = suite.wish(app, 1, { instances: 1 });
      const artifact = await drive.stage(want, suite.ok);
      const task = {
        ...{ name: 'migrate', run: 'hiccup-1', memoryBytes: 32 * 1024 * 1024 },
        ...{ command: 'echo "this one began at $(date +%s%N)"; sleep 1', timeoutMs: 60_000 },
      };
      await flapping(suite, 'api-502', () =>
        drive.persist(() => drive.fresh().tasks!.start(drive.context, want, artifact, task)),
      );
      const told = drive.lines.filter(({ text }) => text.startsWith('this one began'));
      expect(new Set(told.map(({ text }) => text)).size).toBe(1);
      await suite.destroy(app);
    });
  });
}
