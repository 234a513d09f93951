import { describe, expect, it } from '@jest/globals';
import type { Suite } from './suite.ts';

/** What is not ours stays as it is. */
export function besideForeign(suite: Suite): void {
  describe('something foreign with our name', () => {
    it('is reported, and never touched', async () => {
      if (!suite.harness.plantForeign) return suite.leaveOut();
      const app = suite.app('foreign');
      await suite.harness.plantForeign(app);
      const before = await suite.observe(app);
      expect(before.foreign).not.toEqual([]);
      expect(before.releases).toEqual([]);
      const want = suite.wish(app, 1);
      const changes = await suite.drive.fresh().plan(suite.drive.context, want, before);
      expect(changes.map((change) => change.action)).toContain('foreign');
      const error = await suite.drive.fail(suite.drive.fresh().stage(suite.drive.context, want, suite.ok));
      expect(error.class).toBe('conflict');
      expect(error.remedy).toBeTruthy();
      // Whether destroying refuses or finds nothing of ours, the foreign thing stays.
      await suite.drive.settle(suite.drive.fresh().destroy(suite.drive.context, app));
      expect((await suite.observe(app)).foreign).toEqual(before.foreign);
    });
  });
}
