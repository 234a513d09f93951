import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CRASH_TEXT, SILENT_TEXT, sampleBundle } from '../../support/sample-app.ts';
import { runningOf, type Suite, underTraffic } from './suite.ts';

/** Releases that do not come up, beside one that serves. */
export function thatFails(suite: Suite): void {
  describe('an application that will not start', () => {
    const app = suite.app('fails');
    const good = () => suite.wish(app, 1, { env: { GREETING: 'still here' } });
    let crashes: Awaited<ReturnType<typeof sampleBundle>>;
    let silent: Awaited<ReturnType<typeof sampleBundle>>;

    beforeAll(async () => {
      crashes = await sampleBundle('crashes');
      silent = await sampleBundle('silent');
    });

    afterAll(async () => {
      await suite.destroy(app);
      await crashes.remove();
      await silent.remove();
    });

    /** What was serving still does, with the environment it had. */
    async function expectUntouched(): Promise<void> {
      const all = await suite.answeredBy(app, good().release.id);
      for (const answer of all) expect(answer.body).toContain('still here');
      const seen = await suite.observe(app);
      expect(seen.serving).toBe(good().release.id);
      expect(runningOf(seen, good().release.id)).toHaveLength(2);
      expect(seen.env).toMatchObject(good().env);
    }

    it('fails as the very first release with its own words, and can be followed by a good one', async () => {
      const bad = suite.wish(app, 9, { startTimeoutMs: 4_000 });
      const artifact = await suite.drive.stage(bad, crashes);
      const error = await suite.drive.fail(suite.drive.fresh().apply(suite.drive.context, bad, artifact));
      expect(error).toMatchObject({ class: 'startFailed', where: suite.harness.platform });
      expect(error.logTail?.join('\n')).toContain(CRASH_TEXT);
      await suite.drive.deploy(good(), suite.ok);
      await expectUntouched();
    });

    it('crashes: fails with the log, and the release before serves on', async () => {
      const bad = suite.wish(app, 2, { env: { GREETING: 'never heard', NEW: '1' }, startTimeoutMs: 4_000 });
      const artifact = await suite.drive.stage(bad, crashes);
      const { result: error, failures } = await underTraffic(suite, app, () =>
        suite.drive.fail(suite.drive.fresh().apply(suite.drive.context, bad, artifact)),
      );
      expect(failures).toEqual([]);
      expect(error.class).toBe('startFailed');
      expect(error.remedy).toBeTruthy();
      expect(error.logTail?.join('\n')).toContain(CRASH_TEXT);
      await expectUntouched();
    });

    it('never listens: fails in time with the log, and the release before serves on', async () => {
      const bad = suite.wish(app, 3, { env: { GREETING: 'never heard' }, startTimeoutMs: 1_000 });
      const artifact = await suite.drive.stage(bad, silent);
      const error = await suite.drive.fail(suite.drive.fresh().apply(suite.drive.context, bad, artifact));
      expect(error.class).toBe('startFailed');
      expect(error.logTail?.join('\n')).toContain(SILENT_TEXT);
      await expectUntouched();
    });

    it('does not build: fails with the platform’s words, and builds later', async () => {
      if (!suite.has('build-fails')) return;
      const next = suite.wish(app, 4);
      const error = await suite.during('build-fails', () =>
        suite.drive.fail(suite.drive.fresh().stage(suite.drive.context, next, suite.ok)),
      );
      expect(error.class).toBe('buildFailed');
      expect(error.why).toBeTruthy();
      await expectUntouched();
      await suite.drive.stage(next, suite.ok);
    });
  });
}
