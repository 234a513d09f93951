import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/lib/clock.ts';
import { eventually, running, runningOf, type Suite, servingOrigins, underTraffic } from './suite.ts';

/** One application through its whole life; the cases build on each other. */
export function thatRuns(suite: Suite): void {
  describe('an application that runs', () => {
    const app = suite.app('runs');
    const first = () => suite.wish(app, 1, { env: { GREETING: 'good morning', EXTRA: 'kept' } });
    const second = () => suite.wish(app, 2, { env: { GREETING: 'good evening' } });

    it('is staged once, though the first handle was lost', async () => {
      const lost = await suite.drive.fresh().stage(suite.drive.context, first(), suite.ok);
      const artifact = await suite.drive.stage(first(), suite.ok);
      const followed = await suite.drive.follow(lost);
      if (followed.state === 'failed') throw new Error(JSON.stringify(followed.error));
      expect(followed.artifact).toEqual(artifact);
      // And once more when all is done: the same artefact, no second build.
      expect(await suite.drive.stage(first(), suite.ok)).toEqual(artifact);
      const seen = await suite.observe(app);
      const isMade = suite.harness.isPrebuilt !== true;
      expect(seen.exists).toBe(isMade);
      expect(seen.releases.map((release) => release.id)).toEqual(isMade ? [first().release.id] : []);
      expect(seen.serving).toBeUndefined();
      expect(seen.instances.filter((instance) => instance.state === 'running')).toEqual([]);
    });

    it('is applied once, though the first handle was lost, and answers with its release', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const lost = await suite.drive.fresh().apply(suite.drive.context, first(), artifact);
      await suite.drive.succeed(suite.drive.fresh().apply(suite.drive.context, first(), artifact));
      expect((await suite.drive.follow(lost)).state).toBe('succeeded');
      const [answer] = await suite.answeredBy(app, first().release.id);
      expect(answer?.body).toContain('good morning');
      await suite.drive.succeed(suite.drive.fresh().apply(suite.drive.context, first(), artifact));
      const seen = await suite.observe(app);
      expect(running(seen)).toHaveLength(2);
      expect(seen.instances).toHaveLength(2);
    });

    it('is observed with its release, instances, size and environment', async () => {
      const before = systemClock.now();
      const seen = await suite.observe(app);
      expect(seen.at).toBeGreaterThanOrEqual(before - 1_000);
      expect(seen.apiLatencyMs).toBeGreaterThanOrEqual(0);
      expect(seen).toMatchObject({ exists: true, desired: 2, foreign: [] });
      expect(seen.serving).toBe(first().release.id);
      expect(seen.releases).toContainEqual({ id: first().release.id, state: 'running' });
      expect(new Set(seen.instances.map((instance) => instance.id)).size).toBe(2);
      for (const instance of seen.instances) {
        expect(instance).toMatchObject({ state: 'running', release: first().release.id });
        expect(instance.routable).not.toBe(false);
      }
      expect(seen.env).toMatchObject(first().env);
    });

    it('needs no change afterwards', async () => {
      const changes = await suite.drive.fresh().plan(suite.drive.context, first(), await suite.observe(app));
      expect(changes.filter((change) => change.action !== 'none')).toEqual([]);
    });

    it('plans what would change, and nothing else, without values', async () => {
      const want = suite.wish(app, 1, {
        instances: 3,
        env: { GREETING: 'planted-canary-value', EXTRA: 'kept' },
      });
      const changes = await suite.drive.fresh().plan(suite.drive.context, want, await suite.observe(app));
      const changed = changes.filter((change) => change.action !== 'none');
      expect(changed.map((change) => change.field).sort()).toEqual(['env.GREETING', 'instances']);
      expect(changed.find((change) => change.field === 'instances')).toMatchObject({ from: '2', to: '3' });
      expect(JSON.stringify(changes)).not.toContain('planted-canary-value');
      expect(JSON.stringify(changes)).not.toContain('good morning');
    });

    it('shows what it printed', async () => {
      const provider = suite.drive.fresh();
      if (!provider.logs) return;
      await eventually(async () => {
        const { lines = [] } = (await provider.logs?.(suite.drive.context, app, { lines: 50 })) ?? {};
        expect(lines.map((line) => line.text).join('\n')).toContain('sample: listening');
        expect(lines.find((line) => line.source === 'app')?.release).toBe(first().release.id);
      });
    });

    it('goes on after a cursor: no line twice, and none missed', async () => {
      const provider = suite.drive.fresh();
      if (!provider.logs) return;
      const { context } = suite.drive;
      const { cursor } = await provider.logs(context, app, { lines: 1_000 });
      const seen: string[] = [];
      let after = cursor;
      for (const word of ['once', 'twice']) {
        const [origin] = servingOrigins(await suite.observe(app));
        await suite.harness.request(origin!, `/?print=${word}`);
        await eventually(async () => {
          const page = await provider.logs?.(context, app, { lines: 1_000, after });
          after = page?.cursor ?? after;
          seen.push(...(page?.lines ?? []).filter(({ source }) => source === 'app').map(({ text }) => text));
          expect(seen.filter((text) => text === `printed ${word}`)).toHaveLength(1);
        });
      }
      const page = await provider.logs(context, app, { lines: 1_000, after });
      expect(page.lines.filter(({ text }) => text.startsWith('printed'))).toEqual([]);
    });

    it('scales up and down', async () => {
      for (const instances of [3, 1, 2]) {
        await suite.drive.succeed(suite.drive.fresh().scale(suite.drive.context, app, instances));
        const seen = await eventually(async () => {
          const now = await suite.observe(app);
          expect(now.instances).toHaveLength(instances);
          return now;
        });
        expect(seen.desired).toBe(instances);
        expect(running(seen)).toHaveLength(instances);
      }
      await suite.answeredBy(app, first().release.id);
    });

    it('outlasts a moment of rate limiting and one of bad gateways', async () => {
      for (const fault of ['api-429', 'api-502'] as const) {
        if (!suite.has(fault)) continue;
        await suite.harness.setFault(fault, true);
        const reading = suite.observe(app);
        await systemClock.sleep(100);
        await suite.harness.setFault(fault, false);
        expect((await reading).exists).toBe(true);
      }
    });

    it('reports a dead API as unavailable while the application serves', async () => {
      if (!suite.has('api-down')) return;
      const seen = await suite.observe(app);
      const error = await suite.during('api-down', async () => {
        for (const answer of await suite.answers(seen)) expect(answer.status).toBe(200);
        return suite.drive.refusal(suite.observe(app));
      });
      expect(['unavailable', 'timeout']).toContain(error.class);
      await eventually(() => suite.observe(app));
    });

    it('gives up a slow call when it is told to', async () => {
      if (!suite.has('api-slow')) return;
      await suite.during('api-slow', async () => {
        const abort = new AbortController();
        const began = systemClock.monotonic();
        const reading = suite.drive.fresh().observe({ ...suite.drive.context, signal: abort.signal }, app);
        const ended = reading.then(
          () => 'answered',
          () => 'given up',
        );
        await systemClock.sleep(50);
        abort.abort(new Error('enough'));
        expect(await ended).toBe('given up');
        expect(systemClock.monotonic() - began).toBeLessThan(1_000);
      });
    });

    it('reports a used-up quota as such and leaves what runs alone', async () => {
      if (!suite.has('quota-exceeded')) return;
      const error = await suite.during('quota-exceeded', () =>
        suite.drive.fail(suite.drive.fresh().scale(suite.drive.context, app, 4)),
      );
      expect(error.class).toBe('quota');
      expect(error.why).toBeTruthy();
      expect(error.remedy).toBeTruthy();
      await suite.answeredBy(app, first().release.id);
      await suite.drive.succeed(suite.drive.fresh().scale(suite.drive.context, app, 2));
    });

    it('is replaced by the next release while every request is answered', async () => {
      const artifact = await suite.drive.stage(second(), suite.ok);
      if (suite.has('api-401-once')) await suite.harness.setFault('api-401-once', true);
      const { failures, sent } = await underTraffic(suite, app, () =>
        suite.drive.succeed(suite.drive.fresh().apply(suite.drive.context, second(), artifact)),
      );
      const seen = await suite.observe(app);
      expect(failures).toEqual([]);
      expect(sent).toBeGreaterThan(3);
      expect(runningOf(seen, second().release.id)).toHaveLength(2);
      expect(seen.releases).toContainEqual({ id: second().release.id, state: 'running' });
    });

    it('retires the release before, twice, and serves on', async () => {
      for (let turn = 0; turn < 2; turn++) {
        await suite.drive.succeed(suite.drive.fresh().retire(suite.drive.context, app, first().release.id));
      }
      const all = await suite.answeredBy(app, second().release.id);
      for (const answer of all) expect(answer.body).toContain('good evening');
      const seen = await eventually(async () => {
        const now = await suite.observe(app);
        expect(now.instances).toHaveLength(2);
        return now;
      });
      expect(seen.serving).toBe(second().release.id);
      const left = seen.releases.filter((release) => release.state !== 'retired');
      expect(left).toEqual([{ id: second().release.id, state: 'running' }]);
      // What the first release had and the second has not is gone.
      expect(seen.env).toMatchObject(second().env);
      expect(seen.env['EXTRA']).toBeUndefined();
    });

    it('is destroyed without a trace, and again without complaint', async () => {
      const before = await suite.observe(app);
      await suite.destroy(app);
      const seen = await suite.observe(app);
      expect(seen).toMatchObject({
        exists: false,
        releases: [],
        instances: [],
        origins: [],
        foreign: [],
      });
      await eventually(async () => {
        for (const origin of before.origins) {
          const status = await suite.harness.request(origin, '/').then(
            (answer) => answer.status,
            () => 'nothing answers',
          );
          expect(status).not.toBe(200);
        }
      });
      await suite.destroy(app);
    });
  });
}
