import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Observation, StagedArtifact, TargetSpec } from '../../../src/core/provider.ts';
import { CRASH_TEXT, sampleBundle } from '../../support/sample-app.ts';
import { eventually, runningOf, type Suite, trialOrigins, underTraffic } from './suite.ts';

/** A release beside the one that serves; the cases build on each other. Platforms without trials leave them out, and say so. */
export function thatTries(suite: Suite): void {
  describe('a release that is tried', () => {
    const app = suite.app('tries');
    const old = () => suite.wish(app, 1, { env: { GREETING: 'the old one' } });
    const tried = (instances = 1) => suite.wish(app, 2, { instances, env: { GREETING: 'the new one' } });
    let crashes: Awaited<ReturnType<typeof sampleBundle>>;
    const staged = new Map<string, StagedArtifact>();

    beforeAll(async () => {
      crashes = await sampleBundle('crashes');
    });

    afterAll(async () => {
      await suite.destroy(app);
      await crashes.remove();
    });

    function can(): boolean {
      const has = suite.drive.fresh().trial !== undefined;
      if (!has) suite.leaveOut();
      return has;
    }

    async function artifactOf(want: TargetSpec, bundle = suite.ok): Promise<StagedArtifact> {
      const artifact = staged.get(want.release.id) ?? (await suite.drive.stage(want, bundle));
      staged.set(want.release.id, artifact);
      return artifact;
    }

    async function begin(want: TargetSpec) {
      const power = suite.drive.fresh().trial;
      if (power === undefined) throw new Error('this platform tries nothing');
      return power.start(suite.drive.context, want, await artifactOf(want));
    }

    async function end(release: string): Promise<void> {
      const power = suite.drive.fresh().trial;
      if (power === undefined) throw new Error('this platform tries nothing');
      await suite.drive.succeed(power.end(suite.drive.context, app, release));
    }

    /** What serves is as it was, in what is observed and to who asks. */
    async function expectOldServes(): Promise<Observation> {
      for (const answer of await suite.answeredBy(app, old().release.id))
        expect(answer.body).toContain('the old one');
      return eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen).toMatchObject({ desired: 2, serving: old().release.id, foreign: [] });
        // Of what failed the last instance may still be on its way out.
        expect(seen.instances).toHaveLength(2);
        expect(runningOf(seen, old().release.id)).toHaveLength(2);
        expect(seen.env).toMatchObject(old().env);
        return seen;
      });
    }

    const trialAnswers = (release: string) =>
      eventually(async () => {
        const origins = trialOrigins(await suite.observe(app));
        if (origins.length === 0) throw new Error('the trial has no origin');
        for (const origin of origins) {
          const answer = await suite.harness.request(origin, '/');
          expect([answer.status, answer.headers['x-release']]).toEqual([200, release]);
          expect(answer.body).toContain('the new one');
        }
        return origins;
      });

    it('comes up beside the one that serves, of which no request fails', async () => {
      if (!can()) return;
      await suite.drive.deploy(old(), suite.ok);
      const { failures } = await underTraffic(suite, app, () => suite.drive.succeed(begin(tried())));
      expect(failures).toEqual([]);
      await trialAnswers(tried().release.id);
    });

    it('is observed apart: its origins are its own, and its instances nobody else’s', async () => {
      if (!can()) return;
      const seen = await expectOldServes();
      expect(seen.trial).toMatchObject({ release: tried().release.id, desired: 1 });
      expect(seen.trial?.instances).toHaveLength(1);
      expect(seen.trial?.instances[0]).toMatchObject({ state: 'running', release: tried().release.id });
      for (const origin of trialOrigins(seen)) expect(origin.release).toBe(tried().release.id);
      const own = seen.origins.filter(({ trial }) => trial !== true).map(placeOf);
      for (const origin of trialOrigins(seen)) expect(own).not.toContain(placeOf(origin));
    });

    it('is the same when it is begun again, also when the first handle was lost', async () => {
      if (!can()) return;
      const before = (await suite.observe(app)).trial?.instances.map(({ id }) => id);
      const lost = await begin(tried());
      await suite.drive.succeed(begin(tried()));
      expect((await suite.drive.follow(lost)).state).toBe('succeeded');
      expect((await suite.observe(app)).trial?.instances.map(({ id }) => id)).toEqual(before);
    });

    it('prints beside the one that serves, each line with its own release', async () => {
      const provider = suite.drive.fresh();
      if (!can() || !provider.logs) return;
      await eventually(async () => {
        const { lines = [] } = (await provider.logs?.(suite.drive.context, app, { lines: 500 })) ?? {};
        for (const want of [old(), tried()]) {
          const id = want.release.id;
          const line = lines.find(({ text }) => text === `sample: listening as ${id}`);
          expect(line).toMatchObject({ source: 'app', release: id });
        }
      });
    });

    it('changes its size, and nobody else’s', async () => {
      if (!can()) return;
      for (const instances of [2, 1]) {
        await suite.drive.succeed(begin(tried(instances)));
        await eventually(async () => {
          const { trial } = await suite.observe(app);
          expect(trial).toMatchObject({ desired: instances });
          expect(trial?.instances.filter(({ state }) => state === 'running')).toHaveLength(instances);
        });
        await expectOldServes();
      }
    });

    it('is not retired as long as it is tried', async () => {
      if (!can()) return;
      const { release } = tried();
      const error = await suite.drive.fail(suite.drive.fresh().retire(suite.drive.context, app, release.id));
      expect(error.class).toBe('conflict');
      await trialAnswers(release.id);
    });

    it('ends with its route, and what serves does not notice; ending it again succeeds', async () => {
      if (!can()) return;
      const [origin] = trialOrigins(await suite.observe(app));
      const { failures } = await underTraffic(suite, app, () => end(tried().release.id));
      expect(failures).toEqual([]);
      await expectNothingTried();
      await eventually(async () => {
        const answer = await suite.harness.request(origin!, '/').catch(() => undefined);
        expect(answer?.headers['x-release']).not.toBe(tried().release.id);
      });
      await end(tried().release.id);
      await expectOldServes();
    });

    it('that crashes fails with its own words, leaves nothing behind and the other one alone', async () => {
      if (!can()) return;
      const bad = suite.wish(app, 3, { instances: 1, startTimeoutMs: 4_000 });
      await artifactOf(bad, crashes);
      const { result: error, failures } = await underTraffic(suite, app, () => suite.drive.fail(begin(bad)));
      expect(failures).toEqual([]);
      expect(error).toMatchObject({ class: 'startFailed', where: suite.harness.platform });
      expect(error.logTail?.join('\n')).toContain(CRASH_TEXT);
      await expectNothingTried();
      await expectOldServes();
    });

    it('can be rolled out in place while it is tried, and ends then', async () => {
      if (!can()) return;
      await suite.drive.succeed(begin(tried()));
      await trialAnswers(tried().release.id);
      const want = tried(2);
      const { failures } = await underTraffic(suite, app, async () => {
        await suite.drive.succeed(
          suite.drive.fresh().apply(suite.drive.context, want, await artifactOf(want)),
        );
        // Where instances are origins the one before serves beside it, until it is retired.
        await eventually(async () => {
          const own = await suite.answers(await suite.observe(app));
          expect(own.map(({ headers }) => headers['x-release'])).toContain(want.release.id);
        });
        // Instances may have been taken over: then nothing is tried any more.
        if ((await suite.observe(app)).trial !== undefined) await trialAnswers(want.release.id);
        await end(want.release.id);
      });
      expect(failures).toEqual([]);
      await expectNothingTried();
      await suite.drive.succeed(suite.drive.fresh().retire(suite.drive.context, app, old().release.id));
      await suite.answeredBy(app, want.release.id);
      const seen = await suite.observe(app);
      expect(seen).toMatchObject({ desired: 2, serving: want.release.id });
      expect(runningOf(seen, want.release.id)).toHaveLength(2);
    });

    it('goes with its application', async () => {
      if (!can()) return;
      const next = suite.wish(app, 4, { instances: 1, env: { GREETING: 'the new one' } });
      await artifactOf(next);
      await suite.drive.succeed(begin(next));
      const [origin] = await trialAnswers(next.release.id);
      await suite.destroy(app);
      await eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen).toMatchObject({ exists: false, instances: [], origins: [] });
        expect(seen.trial).toBeUndefined();
        const answer = await suite.harness.request(origin!, '/').catch(() => undefined);
        expect(answer?.headers['x-release']).not.toBe(next.release.id);
      });
    });

    it('ends where there is no application', async () => {
      if (!can()) return;
      await end('r-0000000000');
    });

    const expectNothingTried = () =>
      eventually(async () => {
        const seen = await suite.observe(app);
        expect(seen.trial).toBeUndefined();
        expect(trialOrigins(seen)).toEqual([]);
      });
  });
}

function placeOf({ url, hostHeader }: Observation['origins'][number]): string {
  return `${url} ${hostHeader ?? ''}`;
}
