import { describe, expect, it } from '@jest/globals';
import { platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import type { PlanCheck, PlatformProvider } from '../../src/core/provider.ts';
import { type ApplicationSettings, DEFAULT_HEALTH, DEFAULT_POLICY } from '../../src/core/settings.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { refuseWhatWouldFail } from '../../src/orchestrator/checks.ts';
import { fakePlatform, fakeProvider } from '../support/fake-provider.ts';
import { sampleRelease } from '../support/sample-app.ts';

const PLATFORMS = ['cf', 'ocp', 'rack'];

const SHOP: ApplicationSettings = {
  name: 'shop',
  source: { kind: 'path', path: '/unused' },
  process: { command: 'node server.js', instances: 2, memoryBytes: 1 },
  env: {},
  secretEnv: [],
  health: DEFAULT_HEALTH,
  data: { writes: 'anywhere' },
  routes: [],
  targets: PLATFORMS.map((platform) => ({
    ...{ platform, tier: 1, weight: 1, instances: 2, env: {} },
    ...{ capacityRps: undefined, capacityRpsPerInstance: undefined },
  })),
  policy: DEFAULT_POLICY,
  startTimeoutMs: 10_000,
};

const FULL: PlanCheck = {
  what: 'memory of space dev',
  found: 'needs 128Mi more; 0Mi of 1024Mi are left',
  error: toWire(
    platformError('quota', 'cf', 'the quota of space dev does not allow it', {
      why: 'needs 128Mi more; 0Mi of 1024Mi are left',
      remedy: 'ask for a larger quota',
    }),
  ),
};

type Checks = Partial<Record<string, () => Promise<readonly PlanCheck[]>>>;

async function refusal(checks: Checks): Promise<SluiceError | undefined> {
  const providers = new Map<string, PlatformProvider>();
  for (const name of PLATFORMS) {
    const check = checks[name];
    const provider = fakeProvider(fakePlatform(name));
    providers.set(name, check === undefined ? provider : { ...provider, check });
  }
  const deps = { providers, clock: virtualClock() };
  try {
    await refuseWhatWouldFail(deps, SHOP, PLATFORMS, sampleRelease('shop', 1));
    return undefined;
  } catch (error) {
    return SluiceError.from(error);
  }
}

describe('checks before a deployment', () => {
  it('let it begin where all pass, and where nobody checks', async () => {
    expect(await refusal({ cf: async () => [{ what: 'a', found: 'b' }] })).toBeUndefined();
  });

  it('refuse it as a whole, with the platform’s reason, and say how to leave that platform out', async () => {
    const error = await refusal({ cf: async () => [{ what: 'a', found: 'b' }, FULL] });
    expect(error).toMatchObject({
      code: 'PLATFORM_QUOTA',
      message: 'nothing was begun: the quota of space dev does not allow it',
      details: {
        where: 'cf',
        why: 'needs 128Mi more; 0Mi of 1024Mi are left',
        remedy: 'ask for a larger quota; or leave it out: --on ocp,rack',
      },
    });
  });

  it('tell all that would fail at once', async () => {
    const right = platformError('forbidden', 'ocp', 'the token may not patch deployments.apps', {
      why: 'no',
      remedy: 'give it the role edit',
    });
    const error = await refusal({
      cf: async () => [FULL],
      ocp: async () => [{ what: 'right to patch deployments.apps', found: 'no', error: toWire(right) }],
    });
    expect(error?.message).toBe('nothing was begun: cf, ocp would refuse this');
    expect(error?.details.why).toContain('cf: memory of space dev');
    expect(error?.details.why).toContain('ocp: right to patch deployments.apps');
    expect(error?.details.remedy).toContain('give it the role edit');
    expect(error?.details.remedy).toContain('--on rack');
  });

  it('know nothing of a platform that cannot be asked', async () => {
    const away = platformError('unavailable', 'cf', 'the API does not answer');
    expect(await refusal({ cf: () => Promise.reject(away) })).toBeUndefined();
  });
});
