import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../../../providers/cloudfoundry/config.ts';
import { createLocalCloudFoundry } from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import type { ServiceSource } from '../../../src/core/services.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { closeAll } from '../../../src/lib/lifecycle.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { type ProviderHarness, providerConformance } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { foreignClient } from './foreign-client.ts';
import { silentLogger } from './stub-api.ts';

const PLATFORM = 'cf-local';

providerConformance('cloudfoundry', async (): Promise<ProviderHarness> => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-cf-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.05 });
  await local.start();

  function provider(change: Partial<Options> = {}): PlatformProvider {
    const { username, password } = local.credentials;
    return createProvider({
      platform: PLATFORM,
      options: {
        api: local.apiUrl,
        org: local.organization,
        space: local.space,
        domain: local.domain,
        router: local.routerUrl,
        credentials: { username, password },
        ...change,
      },
      clock: systemClock,
      random,
      logger: silentLogger,
    });
  }

  const nobody = await closedPort();
  return {
    platform: PLATFORM,
    faults: ['api-down', 'api-slow', 'api-429', 'api-502', 'api-401-once', 'build-fails', 'quota-exceeded'],
    provider: () => provider(),
    async setFault(fault, on) {
      local.setFault(fault, on);
      await local.settled();
    },
    request: (origin, path) => requestOrigin(origin, path),
    unreachable: () => provider({ api: `http://127.0.0.1:${nobody}` }),
    wrongCredentials: () => provider({ credentials: { username: 'admin', password: 'wrong' } }),
    plantForeign: async (application) => (await foreignClient(local)).createApp(application),
    services: {
      kept: { key: 'uri', spec: { name: 'db', source: ordered('database', 'small') } },
      dropped: { key: 'uri', spec: { name: 'cache', source: ordered('cache', 'shared') } },
      volume: {
        name: 'files',
        source: { ...ordered('filesystem', 'existing'), bind: { mount: '/home/vcap/files' } },
      },
      borrow: async (application, { name }) =>
        (await foreignClient(local)).makeKey(`${application}-${name}`, 'tools'),
    },
    async close() {
      await closeAll([
        { name: 'runner', start: async () => undefined, close: () => runner.close() },
        { name: 'local', start: async () => undefined, close: () => local.close() },
      ]);
      await rm(dir, { recursive: true, force: true });
    },
  };
});

function ordered(offering: string, plan: string): Extract<ServiceSource, { how: 'provision' }> {
  return { how: 'provision', offering, plan, parameters: undefined };
}

function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 1));
    });
  });
}
