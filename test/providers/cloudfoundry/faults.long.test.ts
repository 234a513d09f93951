import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalCloudFoundry } from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { localFaults } from '../../conformance/faults/local-faults.ts';
import { type FaultHarness, faultMatrix } from '../../conformance/faults/matrix.ts';
import { foreignClient } from './foreign-client.ts';
import { silentLogger } from './stub-api.ts';

const PLATFORM = 'cf-local';

faultMatrix('cloudfoundry', async (): Promise<FaultHarness> => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-cf-faults-'));
  const random = seededRandom(11);
  const runner = createRunner({ clock: systemClock, random });
  const local = createLocalCloudFoundry({ dir, runner, clock: systemClock, random, speed: 0.05 });
  await local.start();
  const faults = localFaults(local);

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
    active: faults.active,
    calm: faults.calm,
    injections: {
      ...faults.injections,
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
