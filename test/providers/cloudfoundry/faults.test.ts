import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalCloudFoundry } from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { activeFaults } from '../../conformance/faults/active-faults.ts';
import { type FaultHarness, faultMatrix } from '../../conformance/faults/matrix.ts';
import { foreignClient } from './foreign-client.ts';
import { silentLogger } from './stub-api.ts';

const PLATFORM = 'cf-local';
const ALL: readonly Fault[] = [
  'api-429',
  'api-429-bare',
  'api-down',
  'build-fails',
  'crash-loop',
  'jobs-fail',
  'quota-exceeded',
  'stuck-pending',
];

faultMatrix('cloudfoundry', async (): Promise<FaultHarness> => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-cf-faults-'));
  const random = seededRandom(11);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.05 });
  await local.start();
  const turn = (fault: Fault) => () => local.setFault(fault, true);

  async function turnFor(fault: Fault, ms: number): Promise<void> {
    local.setFault(fault, true);
    await systemClock.sleep(ms);
    local.setFault(fault, false);
    await local.settled();
  }

  return {
    provider: (clock) =>
      createProvider({
        platform: PLATFORM,
        options: {
          api: local.apiUrl,
          org: local.organization,
          space: local.space,
          domain: local.domain,
          router: local.routerUrl,
          credentials: { username: local.credentials.username, password: local.credentials.password },
        },
        clock,
        random,
        logger: silentLogger,
      }),
    async calm() {
      for (const fault of ALL) local.setFault(fault, false);
      await local.settled();
    },
    active: () => activeFaults(local.controlUrl),
    injections: {
      'token refused midway': { at: { staging: turn('api-401-once'), starting: turn('api-401-once') } },
      '429 with Retry-After': { at: { starting: () => turnFor('api-429', 1_500) } },
      '429 without Retry-After': { at: { starting: () => turnFor('api-429-bare', 1_500) } },
      '500 three times': { at: { staging: turn('api-500-thrice'), starting: turn('api-500-thrice') } },
      'upload reset': { before: turn('upload-cut-once') },
      'job failed': { before: turn('jobs-fail') },
      'build failed': { before: turn('build-fails') },
      'crash loop': { variant: 'crashes' },
      quota: { at: { applying: turn('quota-exceeded') } },
      'stuck pending': { before: turn('stuck-pending'), startTimeoutMs: 2_000, factor: 6 },
      'API gone 30 s': { at: { staging: () => turnFor('api-down', 5_000) }, factor: 6 },
      'foreign deployment': {
        // Theirs never ends, because its instances crash.
        async before(application) {
          local.setFault('crash-loop', true);
          await (await foreignClient(local)).redeploy(application);
        },
        factor: 10,
      },
    },
    async close() {
      await local.close();
      await runner.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
});
