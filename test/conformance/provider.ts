import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  Bundle,
  Observation,
  ObservedOrigin,
  PlatformProvider,
  TargetSpec,
} from '../../src/core/provider.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Fault } from '../../src/lib/faults.ts';
import type { OriginAnswer } from '../support/request-origin.ts';
import {
  CRASH_TEXT,
  type SampleWish,
  SILENT_TEXT,
  sampleBundle,
  sampleTarget,
} from '../support/sample-app.ts';
import { createDriver, type Driver } from './provider-driver.ts';

/** What a platform must offer so that `providerConformance` can drive its provider. */
export interface ProviderHarness {
  /** The name the providers were made with. */
  readonly platform: string;
  /** The faults this platform can be told to have; cases about others pass without doing anything. */
  readonly faults: readonly Fault[];
  /** A NEW instance each call, as after a crash. The suite closes it. */
  provider(): PlatformProvider;
  setFault(fault: Fault, on: boolean): Promise<void>;
  /** One GET as the gateway would send it; test/support/request-origin.ts fits most. Rejects when nothing answers. */
  request(origin: ObservedOrigin, path: string): Promise<OriginAnswer>;
  /** A provider whose address nobody listens on. */
  unreachable(): PlatformProvider;
  /** A provider with a wrong password or token; absent where there are none. */
  wrongCredentials?(): PlatformProvider;
  /** Makes something that carries the application's name and not our stamp. */
  plantForeign?(application: string): Promise<void>;
  /** Milliseconds between two polls; 30 by default, for platforms on loopback. */
  readonly pollMs?: number;
  close(): Promise<void>;
}

const CASE_MS = 90_000;

/**
 * What every provider must do, whatever its platform. Call it at the top level of a test file:
 * `providerConformance('cloudfoundry', async () => harness)`. The cases of a group run in order on one application.
 */
export function providerConformance(name: string, open: () => Promise<ProviderHarness>): void {
  describe(`provider conformance: ${name}`, () => {
    let harness: ProviderHarness;
    let drive: Driver;
    let ok: Bundle & { remove(): Promise<void> };

    beforeAll(async () => {
      harness = await open();
      drive = createDriver(harness);
      ok = await sampleBundle('ok');
    }, CASE_MS);

    afterAll(async () => {
      await drive?.close();
      await ok?.remove();
      await harness?.close();
    }, CASE_MS);

    function wish(application: string, number: number, more: Partial<SampleWish> = {}): TargetSpec {
      return sampleTarget({ application, platform: harness.platform, number, ...more });
    }

    function observe(application: string): Promise<Observation> {
      return drive.fresh().observe(drive.context, application);
    }

    async function destroy(application: string): Promise<void> {
      await drive.succeed(drive.fresh().destroy(drive.context, application));
    }

    /** The release and body that answer, from each origin that serves. */
    async function answers(seen: Observation): Promise<OriginAnswer[]> {
      const all: OriginAnswer[] = [];
      for (const origin of servingOrigins(seen)) all.push(await harness.request(origin, '/'));
      return all;
    }

    /** Waits until what answers on all origins is this release: routes take a moment to reach a router. */
    async function answeredBy(application: string, release: string): Promise<OriginAnswer[]> {
      return eventually(async () => {
        const all = await answers(await observe(application));
        if (all.length === 0) throw new Error('no origin serves');
        for (const answer of all) {
          if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.body}`);
          expect(answer.headers['x-release']).toBe(release);
        }
        return all;
      });
    }

    function has(fault: Fault): boolean {
      return harness.faults.includes(fault);
    }

    /** Runs `work` while the fault is on; the fault is off afterwards, whatever happens. */
    async function during<T>(fault: Fault, work: () => Promise<T>): Promise<T> {
      await harness.setFault(fault, true);
      try {
        return await work();
      } finally {
        await harness.setFault(fault, false);
      }
    }

    describe('before anything is deployed', () => {
      it('describes the endpoint', async () => {
        const provider = drive.fresh();
        const info = await provider.describe(drive.context);
        expect(info.kind).toBe(provider.kind);
        expect(provider.platform).toBe(harness.platform);
        expect(info.apiVersion).not.toBe('');
        expect(info.identity).not.toBe('');
        expect(typeof info.capabilities.sideBySide).toBe('boolean');
      });

      it('observes nothing for an application it never saw', async () => {
        const seen = await observe('conf-nothing');
        expect(seen).toMatchObject({ exists: false, releases: [], instances: [], origins: [], desired: 0 });
        expect(seen.serving).toBeUndefined();
        expect(seen.foreign).toEqual([]);
      });

      it('plans to create it, and shows no value of its environment', async () => {
        const want = wish('conf-nothing', 1, { env: { API_KEY: 'planted-canary-value' } });
        const changes = await drive.fresh().plan(drive.context, want, await observe('conf-nothing'));
        expect(changes.map((change) => change.action)).toContain('create');
        expect(JSON.stringify(changes)).not.toContain('planted-canary-value');
      });

      it('destroys and retires nothing successfully', async () => {
        await destroy('conf-nothing');
        await drive.succeed(drive.fresh().retire(drive.context, 'conf-nothing', 'r-0000000000'));
      });

      it(
        'reports an address that does not answer as unavailable',
        async () => {
          const provider = harness.unreachable();
          const error = await drive.refusal(provider.describe(drive.context));
          expect(['unavailable', 'timeout']).toContain(error.class);
          expect(error.details).toMatchObject({ where: harness.platform });
          expect(error.details.remedy).toBeTruthy();
          await provider.close();
        },
        CASE_MS,
      );

      it('reports wrong credentials as such, at once, and each time', async () => {
        const provider = harness.wrongCredentials?.();
        if (!provider) return;
        const began = systemClock.monotonic();
        for (const call of [
          provider.describe(drive.context),
          provider.observe(drive.context, 'conf-nothing'),
        ]) {
          const error = await drive.refusal(call);
          expect(error.class).toBe('auth');
          expect(error.details.where).toBe(harness.platform);
          expect(error.details.remedy).toContain(harness.platform);
        }
        expect(systemClock.monotonic() - began).toBeLessThan(3_000);
        await provider.close();
      });
    });

    describe('an application that runs', () => {
      const app = 'conf-runs';
      const first = () => wish(app, 1, { env: { GREETING: 'good morning', EXTRA: 'kept' } });
      const second = () => wish(app, 2, { env: { GREETING: 'good evening' } });

      it(
        'is staged once, though the first handle was lost',
        async () => {
          const lost = await drive.fresh().stage(drive.context, first(), ok);
          const artifact = await drive.stage(first(), ok);
          const followed = await drive.follow(lost);
          if (followed.state === 'failed') throw new Error(JSON.stringify(followed.error));
          expect(followed.artifact).toEqual(artifact);
          // And once more when all is done: the same artefact, no second build.
          expect(await drive.stage(first(), ok)).toEqual(artifact);
          const seen = await observe(app);
          expect(seen.exists).toBe(true);
          expect(seen.releases.map((release) => release.id)).toEqual([first().release.id]);
          expect(seen.serving).toBeUndefined();
          expect(seen.instances.filter((instance) => instance.state === 'running')).toEqual([]);
        },
        CASE_MS,
      );

      it(
        'is applied once, though the first handle was lost, and answers with its release',
        async () => {
          const artifact = await drive.stage(first(), ok);
          const lost = await drive.fresh().apply(drive.context, first(), artifact);
          await drive.succeed(drive.fresh().apply(drive.context, first(), artifact));
          expect((await drive.follow(lost)).state).toBe('succeeded');
          const [answer] = await answeredBy(app, first().release.id);
          expect(answer?.body).toContain('good morning');
          await drive.succeed(drive.fresh().apply(drive.context, first(), artifact));
          const seen = await observe(app);
          expect(running(seen)).toHaveLength(2);
          expect(seen.instances).toHaveLength(2);
        },
        CASE_MS,
      );

      it('is observed with its release, instances, size and environment', async () => {
        const before = systemClock.now();
        const seen = await observe(app);
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
        const changes = await drive.fresh().plan(drive.context, first(), await observe(app));
        expect(changes.filter((change) => change.action !== 'none')).toEqual([]);
      });

      it('plans what would change, and nothing else, without values', async () => {
        const want = wish(app, 1, { instances: 3, env: { GREETING: 'planted-canary-value', EXTRA: 'kept' } });
        const changes = await drive.fresh().plan(drive.context, want, await observe(app));
        const changed = changes.filter((change) => change.action !== 'none');
        expect(changed.map((change) => change.field).sort()).toEqual(['env.GREETING', 'instances']);
        expect(changed.find((change) => change.field === 'instances')).toMatchObject({ from: '2', to: '3' });
        expect(JSON.stringify(changes)).not.toContain('planted-canary-value');
        expect(JSON.stringify(changes)).not.toContain('good morning');
      });

      it('shows what it printed', async () => {
        const provider = drive.fresh();
        if (!provider.logs) return;
        await eventually(async () => {
          const lines = (await provider.logs?.(drive.context, app, 50)) ?? [];
          expect(lines.map((line) => line.text).join('\n')).toContain('sample: listening');
        });
      });

      it(
        'scales up and down',
        async () => {
          for (const instances of [3, 1, 2]) {
            await drive.succeed(drive.fresh().scale(drive.context, app, instances));
            const seen = await eventually(async () => {
              const now = await observe(app);
              expect(now.instances).toHaveLength(instances);
              return now;
            });
            expect(seen.desired).toBe(instances);
            expect(running(seen)).toHaveLength(instances);
          }
          await answeredBy(app, first().release.id);
        },
        CASE_MS,
      );

      it(
        'outlasts a moment of rate limiting and one of bad gateways',
        async () => {
          for (const fault of ['api-429', 'api-502'] as const) {
            if (!has(fault)) continue;
            await harness.setFault(fault, true);
            const reading = observe(app);
            await systemClock.sleep(100);
            await harness.setFault(fault, false);
            expect((await reading).exists).toBe(true);
          }
        },
        CASE_MS,
      );

      it(
        'reports a dead API as unavailable while the application serves',
        async () => {
          if (!has('api-down')) return;
          const seen = await observe(app);
          const error = await during('api-down', async () => {
            for (const answer of await answers(seen)) expect(answer.status).toBe(200);
            return drive.refusal(observe(app));
          });
          expect(['unavailable', 'timeout']).toContain(error.class);
          await eventually(() => observe(app));
        },
        CASE_MS,
      );

      it(
        'gives up a slow call when it is told to',
        async () => {
          if (!has('api-slow')) return;
          await during('api-slow', async () => {
            const abort = new AbortController();
            const began = systemClock.monotonic();
            const reading = drive.fresh().observe({ ...drive.context, signal: abort.signal }, app);
            const ended = reading.then(
              () => 'answered',
              () => 'given up',
            );
            await systemClock.sleep(50);
            abort.abort(new Error('enough'));
            expect(await ended).toBe('given up');
            expect(systemClock.monotonic() - began).toBeLessThan(1_000);
          });
        },
        CASE_MS,
      );

      it(
        'reports a used-up quota as such and leaves what runs alone',
        async () => {
          if (!has('quota-exceeded')) return;
          const error = await during('quota-exceeded', () =>
            drive.fail(drive.fresh().scale(drive.context, app, 4)),
          );
          expect(error.class).toBe('quota');
          expect(error.why).toBeTruthy();
          expect(error.remedy).toBeTruthy();
          await answeredBy(app, first().release.id);
          await drive.succeed(drive.fresh().scale(drive.context, app, 2));
        },
        CASE_MS,
      );

      it(
        'is replaced by the next release while every request is answered',
        async () => {
          const artifact = await drive.stage(second(), ok);
          if (has('api-401-once')) await harness.setFault('api-401-once', true);
          const traffic = constantTraffic(harness, () => observe(app));
          await drive.succeed(drive.fresh().apply(drive.context, second(), artifact));
          const seen = await observe(app);
          await systemClock.sleep(100);
          const { failures, sent } = await traffic.stop();
          expect(failures).toEqual([]);
          expect(sent).toBeGreaterThan(3);
          expect(runningOf(seen, second().release.id)).toHaveLength(2);
          expect(seen.releases).toContainEqual({ id: second().release.id, state: 'running' });
        },
        CASE_MS,
      );

      it(
        'retires the release before, twice, and serves on',
        async () => {
          for (let turn = 0; turn < 2; turn++) {
            await drive.succeed(drive.fresh().retire(drive.context, app, first().release.id));
          }
          const all = await answeredBy(app, second().release.id);
          for (const answer of all) expect(answer.body).toContain('good evening');
          const seen = await eventually(async () => {
            const now = await observe(app);
            expect(now.instances).toHaveLength(2);
            return now;
          });
          expect(seen.serving).toBe(second().release.id);
          const left = seen.releases.filter((release) => release.state !== 'retired');
          expect(left).toEqual([{ id: second().release.id, state: 'running' }]);
          // What the first release had and the second has not is gone.
          expect(seen.env).toMatchObject(second().env);
          expect(seen.env['EXTRA']).toBeUndefined();
        },
        CASE_MS,
      );

      it(
        'is destroyed without a trace, and again without complaint',
        async () => {
          const before = await observe(app);
          await destroy(app);
          const seen = await observe(app);
          expect(seen).toMatchObject({
            exists: false,
            releases: [],
            instances: [],
            origins: [],
            foreign: [],
          });
          await eventually(async () => {
            for (const origin of before.origins) {
              const status = await harness.request(origin, '/').then(
                (answer) => answer.status,
                () => 'nothing answers',
              );
              expect(status).not.toBe(200);
            }
          });
          await destroy(app);
        },
        CASE_MS,
      );
    });

    describe('an application that will not start', () => {
      const app = 'conf-fails';
      const good = () => wish(app, 1, { env: { GREETING: 'still here' } });
      let crashes: Awaited<ReturnType<typeof sampleBundle>>;
      let silent: Awaited<ReturnType<typeof sampleBundle>>;

      beforeAll(async () => {
        crashes = await sampleBundle('crashes');
        silent = await sampleBundle('silent');
      });

      afterAll(async () => {
        await destroy(app);
        await crashes.remove();
        await silent.remove();
      }, CASE_MS);

      /** What was serving still does, with the environment it had. */
      async function expectUntouched(): Promise<void> {
        const all = await answeredBy(app, good().release.id);
        for (const answer of all) expect(answer.body).toContain('still here');
        const seen = await observe(app);
        expect(seen.serving).toBe(good().release.id);
        expect(runningOf(seen, good().release.id)).toHaveLength(2);
        expect(seen.env).toMatchObject(good().env);
      }

      it(
        'fails as the very first release with its own words, and can be followed by a good one',
        async () => {
          const bad = wish(app, 9, { startTimeoutMs: 4_000 });
          const artifact = await drive.stage(bad, crashes);
          const error = await drive.fail(drive.fresh().apply(drive.context, bad, artifact));
          expect(error).toMatchObject({ class: 'startFailed', where: harness.platform });
          expect(error.logTail?.join('\n')).toContain(CRASH_TEXT);
          await drive.deploy(good(), ok);
          await expectUntouched();
        },
        CASE_MS,
      );

      it(
        'crashes: fails with the log, and the release before serves on',
        async () => {
          const bad = wish(app, 2, { env: { GREETING: 'never heard', NEW: '1' }, startTimeoutMs: 4_000 });
          const artifact = await drive.stage(bad, crashes);
          const traffic = constantTraffic(harness, () => observe(app));
          const error = await drive.fail(drive.fresh().apply(drive.context, bad, artifact));
          expect((await traffic.stop()).failures).toEqual([]);
          expect(error.class).toBe('startFailed');
          expect(error.remedy).toBeTruthy();
          expect(error.logTail?.join('\n')).toContain(CRASH_TEXT);
          await expectUntouched();
        },
        CASE_MS,
      );

      it(
        'never listens: fails in time with the log, and the release before serves on',
        async () => {
          const bad = wish(app, 3, { env: { GREETING: 'never heard' }, startTimeoutMs: 1_000 });
          const artifact = await drive.stage(bad, silent);
          const error = await drive.fail(drive.fresh().apply(drive.context, bad, artifact));
          expect(error.class).toBe('startFailed');
          expect(error.logTail?.join('\n')).toContain(SILENT_TEXT);
          await expectUntouched();
        },
        CASE_MS,
      );

      it(
        'does not build: fails with the platform’s words, and builds later',
        async () => {
          if (!has('build-fails')) return;
          const next = wish(app, 4);
          const error = await during('build-fails', () =>
            drive.fail(drive.fresh().stage(drive.context, next, ok)),
          );
          expect(error.class).toBe('buildFailed');
          expect(error.why).toBeTruthy();
          await expectUntouched();
          await drive.stage(next, ok);
        },
        CASE_MS,
      );
    });

    describe('something foreign with our name', () => {
      it(
        'is reported, and never touched',
        async () => {
          if (!harness.plantForeign) return;
          const app = 'conf-foreign';
          await harness.plantForeign(app);
          const before = await observe(app);
          expect(before.foreign).not.toEqual([]);
          expect(before.releases).toEqual([]);
          const want = wish(app, 1);
          const changes = await drive.fresh().plan(drive.context, want, before);
          expect(changes.map((change) => change.action)).toContain('foreign');
          const error = await drive.fail(drive.fresh().stage(drive.context, want, ok));
          expect(error.class).toBe('conflict');
          expect(error.remedy).toBeTruthy();
          // Whether destroying refuses or finds nothing of ours, the foreign thing stays.
          await drive.settle(drive.fresh().destroy(drive.context, app));
          expect((await observe(app)).foreign).toEqual(before.foreign);
        },
        CASE_MS,
      );
    });
  });
}

function running(seen: Observation): Observation['instances'] {
  return seen.instances.filter((instance) => instance.state === 'running');
}

function runningOf(seen: Observation, release: string): Observation['instances'] {
  return running(seen).filter((instance) => instance.release === release);
}

/** Where an origin is one instance, only those of running instances serve. */
function servingOrigins(seen: Observation): readonly ObservedOrigin[] {
  const ids = new Set(running(seen).map((instance) => instance.id));
  return seen.origins.filter((origin) => origin.instance === undefined || ids.has(origin.instance));
}

/** Sends one request after the other to all that serves, as it stands at that moment, until stopped. */
function constantTraffic(
  harness: ProviderHarness,
  observe: () => Promise<Observation>,
): { stop(): Promise<{ sent: number; failures: string[] }> } {
  const failures: string[] = [];
  let sent = 0;
  let stopped = false;

  async function send(): Promise<void> {
    while (!stopped) {
      const origins = servingOrigins(await observe());
      if (origins.length === 0) failures.push('nothing serves');
      for (let turn = 0; turn < 5 && !stopped; turn++) {
        for (const origin of origins) {
          sent++;
          const why = await harness.request(origin, '/').then(
            (answer) => (answer.status === 200 ? undefined : `${answer.status} ${answer.body}`),
            (error: unknown) => String(error),
          );
          if (why !== undefined) failures.push(`request ${sent} to ${origin.url}: ${why}`);
        }
        await systemClock.sleep(10);
      }
    }
  }

  const done = send();
  return {
    async stop() {
      stopped = true;
      await done;
      return { sent, failures };
    },
  };
}

/** For what platforms promise only "soon": tries until it holds, then gives the last error. */
async function eventually<T>(attempt: () => Promise<T>, withinMs = 10_000): Promise<T> {
  const deadline = systemClock.monotonic() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      await systemClock.sleep(50);
    }
  }
}
