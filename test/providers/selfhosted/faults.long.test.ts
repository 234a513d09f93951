import { expect } from '@jest/globals';
import { createProvider } from '../../../providers/selfhosted/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { APPLICATION, type FaultHarness, faultMatrix } from '../../conformance/faults/matrix.ts';
import { createDriver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleRelease, sampleTarget } from '../../support/sample-app.ts';
import { faultySocket } from './faulty-socket.ts';
import { silentLogger, testHost } from './host-harness.ts';

const PLATFORM = 'rack';

faultMatrix('selfhosted', async (): Promise<FaultHarness> => {
  const host = await testHost('keep');
  const socket = await faultySocket(host.socket);
  const other = createDriver({ provider: host.provider });
  const theirs = await sampleBundle();

  async function goneFor(ms: number): Promise<void> {
    await host.stop();
    await systemClock.sleep(ms);
    await host.start();
  }

  return {
    provider: (clock) =>
      createProvider({
        platform: PLATFORM,
        options: { driver: 'process', socket: socket.path },
        clock,
        random: seededRandom(3),
        logger: silentLogger,
      }),
    active: socket.pending,
    calm: () => undefined,
    injections: {
      '500 three times': { at: { staging: socket.failThrice, starting: socket.failThrice } },
      'upload reset': { before: socket.cutUpload },
      'crash loop': { variant: 'crashes', startTimeoutMs: 5_000 },
      'stuck pending': { variant: 'silent', startTimeoutMs: 1_500 },
      'API gone 30 s': { at: { staging: () => goneFor(5_000) }, factor: 6 },
      'foreign deployment': {
        at: {
          applying: (application) =>
            other.deploy(sampleTarget({ application, platform: PLATFORM, number: 99 }), theirs),
        },
        async holds(world) {
          const { id } = sampleRelease(APPLICATION, 99);
          expect((await world.observe()).releases).toContainEqual({ id, state: 'running' });
        },
      },
    },
    async close() {
      await other.close();
      await theirs.remove();
      await socket.close();
      await host.end();
    },
  };
});
