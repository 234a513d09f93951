import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WireError } from '../../../src/core/errors.ts';
import type { Bundle } from '../../../src/core/provider.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { type SampleWish, sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type LocalHarness, NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';

/** Refusals as the local OpenShift has them, in the words a person gets to read. */
let harness: LocalHarness;
let drive: Driver;
let bundle: Bundle & { remove(): Promise<void> };

beforeAll(async () => {
  harness = await openLocal();
  drive = createDriver({ provider: () => harness.provider() });
  bundle = await sampleBundle('ok');
});

afterAll(async () => {
  await drive.close();
  await bundle.remove();
  await harness.close();
});

async function failureOf(application: string, more: Partial<SampleWish>, files = bundle): Promise<WireError> {
  const want = sampleTarget({ application, platform: PLATFORM, number: 1, instances: 1, ...more });
  const artifact = await drive.stage(want, files);
  const error = await drive.fail(drive.fresh().apply(drive.context, want, artifact));
  await drive.succeed(drive.fresh().destroy(drive.context, application));
  return error;
}

async function whileThereIs<T>(kind: string, spec: object, work: () => Promise<T>): Promise<T> {
  const token = harness.local.tokenFor('admin', ['system:masters']);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const path = `${harness.local.apiUrl}/api/v1/namespaces/${NAMESPACE}/${kind}`;
  const body = JSON.stringify({ metadata: { name: 'limits' }, spec });
  await fetch(path, { method: 'POST', headers, body });
  try {
    return await work();
  } finally {
    await fetch(`${path}/limits`, { method: 'DELETE', headers });
  }
}

describe('a refusal is explained', () => {
  it('a quota, with how much is missing', async () => {
    const error = await whileThereIs('resourcequotas', { hard: { 'limits.memory': '32Mi' } }, () =>
      failureOf('quota', {}),
    );
    expect(error).toMatchObject({
      class: 'quota',
      why: 'exceeded quota: limits: 64Mi more of limits.memory, and 0 of 32Mi are used',
    });
  });

  it('a limit range, with its bounds', async () => {
    const limits = [{ type: 'Container', max: { memory: '32Mi' } }];
    const error = await whileThereIs('limitranges', { limits }, () => failureOf('bounds', {}));
    expect(error).toMatchObject({
      class: 'quota',
      why: expect.stringContaining('maximum memory usage per Container is 32Mi, but limit is 64Mi'),
      remedy: expect.stringContaining('`memory`'),
    });
  });

  it('an application that runs and never gets ready, with what the platform’s probe met', async () => {
    const silent = await sampleBundle('silent');
    const error = await failureOf('silent', { startTimeoutMs: 2_000 }, silent);
    await silent.remove();
    expect(error.class).toBe('startFailed');
    expect(error.why).toMatch(/nothing good answered GET \/healthz; Unhealthy: Readiness probe failed: /);
  });

  it('a task whose pod a quota refuses, which the platform tells by events only', async () => {
    const want = sampleTarget({ application: 'tasked', platform: PLATFORM, number: 1, instances: 1 });
    const artifact = await drive.stage(want, bundle);
    const task = {
      ...{ name: 'migrate', run: 'one', command: 'true' },
      ...{ memoryBytes: 64 * 1_048_576, timeoutMs: 2_000 },
    };
    const provider = drive.fresh();
    const [messages, error] = await whileThereIs(
      'resourcequotas',
      { hard: { 'limits.memory': '32Mi' } },
      async () => {
        const { handle } = await provider.tasks!.start(drive.context, want, artifact, task);
        const told = new Set<string>();
        for (;;) {
          const status = await provider.poll(drive.context, handle);
          if (status.state === 'failed') return [told, status.error] as const;
          if (status.state !== 'running') throw new Error(`it is ${status.state}`);
          told.add(status.message);
          await new Promise((done) => setTimeout(done, 50));
        }
      },
    );
    const why = 'exceeded quota: limits: 64Mi more of limits.memory, and 0 of 32Mi are used';
    expect([...messages]).toContain(`migrate waits for its pod: ${why}`);
    expect(error).toMatchObject({ class: 'taskFailed', why: expect.stringContaining(why) });
    expect(error.remedy).toContain('quota');
  });
});
