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
  });
}
