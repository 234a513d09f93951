import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../../../providers/cloudfoundry/config.ts';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import type { ProviderHarness } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { silentLogger } from './stub-api.ts';

const PLATFORM = 'korifi';

export interface KorifiHarness extends ProviderHarness {
  readonly local: LocalCloudFoundry;
  /** Options that differ from the good ones. */
  other(change: Partial<Options>): PlatformProvider;
}

/** The local Cloud Foundry as Korifi: a part of the API, and the cluster's token. */
export async function korifiHarness(): Promise<KorifiHarness> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-korifi-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalCloudFoundry({
    ...{ dir, runner, clock: systemClock, random },
    speed: 0.05,
    mode: 'korifi',
  });
  await local.start();
  const token = local.token ?? '';

  function other(change: Partial<Options> = {}): PlatformProvider {
    return createProvider({
      platform: PLATFORM,
      options: {
        api: local.apiUrl,
        org: local.organization,
        space: local.space,
        domain: local.domain,
        router: local.routerUrl,
        credentials: { token },
        ...change,
      },
      clock: systemClock,
      random,
      logger: silentLogger,
    });
  }

  const nobody = await closedPort();
  return {
    local,
    other,
    platform: PLATFORM,
    faults: ['api-down', 'api-slow', 'api-429', 'api-502', 'api-401-once', 'build-fails', 'quota-exceeded'],
    provider() {
      // Neither trials, which need a copy of a droplet, nor an audit: both are refused or empty there.
      const { trial: _, events: __, ...rest } = other();
      return rest;
    },
    async setFault(fault, on) {
      local.setFault(fault, on);
      await local.settled();
    },
    request: (origin, path) => requestOrigin(origin, path),
    unreachable: () => other({ api: `http://127.0.0.1:${nobody}` }),
    wrongCredentials: () => other({ credentials: { token: 'wrong' } }),
    async close() {
      await runner.close();
      await local.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 1));
    });
  });
}
