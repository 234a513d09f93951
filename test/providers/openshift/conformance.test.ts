import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schema } from '../../../providers/openshift/config.ts';
import { createLocalOpenShift } from '../../../providers/openshift/local/server.ts';
import { createProvider } from '../../../providers/openshift/provider.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { type ProviderHarness, providerConformance } from '../../conformance/provider.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { silent } from './fake-api.ts';

const NAMESPACE = 'shop';

providerConformance('openshift', openHarness);

async function openHarness(): Promise<ProviderHarness> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-openshift-'));
  const random = seededRandom(7);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalOpenShift({ dir, runner, clock: systemClock, random, speed: 0.1 });
  await local.start();

  function provider(more: { api?: string; token?: string } = {}): PlatformProvider {
    const options = schema.parse({
      api: more.api ?? local.apiUrl,
      namespace: NAMESPACE,
      router: local.routerUrl,
      credentials: { token: more.token ?? local.token },
    });
    return createProvider({ platform: 'ocp-local', options, clock: systemClock, random, logger: silent });
  }

  return {
    platform: 'ocp-local',
    faults: [
      'api-down',
      'api-slow',
      'api-429',
      'api-502',
      'api-401-once',
      'build-fails',
      'crash-loop',
      'quota-exceeded',
      'router-down',
    ],
    provider: () => provider(),
    setFault: async (fault, on) => local.setFault(fault, on),
    request: (origin, path) => requestOrigin(origin, path),
    unreachable: () => provider({ api: 'http://127.0.0.1:1' }),
    wrongCredentials: () => provider({ token: 'sha256~wrong' }),
    async plantForeign(application) {
      const path = `${local.apiUrl}/api/v1/namespaces/${NAMESPACE}/services`;
      const answer = await fetch(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${local.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: application },
          spec: { ports: [{ port: 80 }] },
        }),
      });
      if (answer.status !== 201)
        throw new Error(`planting answered ${answer.status}: ${await answer.text()}`);
    },
    async close() {
      await local.close();
      await runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
