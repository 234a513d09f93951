import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import { needOf } from '../../../providers/cloudfoundry/quota.ts';
import type { Observation, PlatformProvider } from '../../../src/core/provider.ts';
import type { Runner } from '../../../src/core/runner.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { context, refusal, silentLogger, stubApi } from './stub-api.ts';

const want = sampleTarget({ application: 'shop', platform: 'cf-local', number: 2, instances: 4 });

function seen(more: Partial<Observation> = {}): Observation {
  return {
    ...{ at: 0, apiLatencyMs: 0, exists: false, releases: [], serving: undefined, instances: [] },
    ...{ desired: 0, origins: [], env: {}, foreign: [] },
    ...more,
  };
}

describe('what a deployment needs beside what is used', () => {
  it.each([
    ['all of it, where nothing runs', seen(), undefined, { instances: 4, memoryMb: 256 }],
    [
      'a wave, while it rolls',
      seen({ exists: true, desired: 4, serving: 'r-1' }),
      64,
      { instances: 1, memoryMb: 64 },
    ],
    ['what grows', seen({ exists: true, desired: 1, serving: 'r-1' }), 64, { instances: 3, memoryMb: 192 }],
    [
      'what each instance grows by',
      seen({ exists: true, desired: 4, serving: 'r-1' }),
      16,
      { instances: 1, memoryMb: 192 },
    ],
    [
      'nothing, where nothing changes',
      seen({ exists: true, desired: 4, serving: want.release.id }),
      64,
      { instances: 0, memoryMb: 0 },
    ],
  ])('is %s', (_what, observation, memoryNow, expected) => {
    expect(needOf(want, observation, memoryNow)).toEqual(expected);
  });
});

describe('the quotas of a foundation', () => {
  let dir: string;
  let runner: Runner;
  let local: LocalCloudFoundry;
  let provider: PlatformProvider;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-cf-quota-'));
    const random = seededRandom(2);
    runner = createRunner({ clock: systemClock, random });
    local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.02 });
    await local.start();
    provider = createProvider({
      platform: 'cf-local',
      options: {
        api: local.apiUrl,
        org: local.organization,
        space: local.space,
        domain: local.domain,
        router: local.routerUrl,
        credentials: { username: local.credentials.username, password: local.credentials.password },
      },
      clock: systemClock,
      random,
      logger: silentLogger,
    });
  });

  afterAll(async () => {
    await provider.close();
    await local.close();
    await runner.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('are read beforehand, with what is left', async () => {
    const checks = await provider.check?.(context, want, seen());
    expect(checks).toContainEqual({
      what: 'memory of organization demo',
      found: 'needs 256Mi more; 102400Mi of 102400Mi are left',
    });
    expect(checks?.every((check) => check.error === undefined)).toBe(true);
  });

  it('refuse beforehand what would not fit, with the way out', async () => {
    local.setFault('quota-exceeded', true);
    const checks = await provider.check?.(context, want, seen());
    local.setFault('quota-exceeded', false);
    expect(checks?.find((check) => check.error)?.error).toMatchObject({
      code: 'PLATFORM_QUOTA',
      why: 'needs 256Mi more; 0Mi of 0Mi are left (quota default)',
      remedy: expect.stringContaining('larger quota'),
    });
  });

  it('say nothing where we may not read them', async () => {
    const api = await stubApi();
    api.handle = ({ path }) => {
      if (path === '/v3/spaces/space')
        return { body: { relationships: { organization: { data: { guid: 'org-1' } } } } };
      if (path === '/v3/organizations/org-1') return refusal(403, 'CF-NotAuthorized', 'no');
      return undefined;
    };
    expect(await api.provider().check?.(context, want, seen())).toEqual([]);
    await api.close();
  });
});
