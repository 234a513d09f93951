import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createUsage } from '../../../providers/openshift/usage.ts';
import { platformError } from '../../../src/core/errors.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type LocalHarness, openLocal, PLATFORM } from './local-harness.ts';

const { signal } = new AbortController();

function measured(cpu: string, memory: string): object {
  return { metadata: { name: 'shop-1' }, containers: [{ name: 'web', usage: { cpu, memory } }] };
}

describe('what instances use', () => {
  it('is summed over containers, in cores and bytes, and asked for every ten seconds at most', async () => {
    const clock = virtualClock();
    let asked = 0;
    const usageOf = createUsage(
      {
        list: async ({ schema }) => {
          asked += 1;
          const web = measured('250m', '64Mi') as { containers: object[] };
          const beside = { name: 'proxy', usage: { cpu: '12500000n', memory: '1024Ki' } };
          return [schema.parse({ ...web, containers: [...web.containers, beside] })];
        },
      },
      clock,
      { usage: true },
    );
    const usage = (await usageOf(signal)).get('shop-1');
    expect(usage?.cpu).toBeCloseTo(0.2625);
    expect(usage?.memoryBytes).toBe(65 * 1_048_576);
    clock.advance(9_999);
    await usageOf(signal);
    expect(asked).toBe(1);
    clock.advance(1);
    await usageOf(signal);
    expect(asked).toBe(2);
  });

  it('is nothing where nobody measures, or the measuring is away', async () => {
    const away = { list: () => Promise.reject(platformError('unavailable', 'ocp', 'no metrics', {})) };
    expect((await createUsage(away, virtualClock(), { usage: true })(signal)).size).toBe(0);
    expect((await createUsage(away, virtualClock(), { usage: false })(signal)).size).toBe(0);
  });
});

describe('on the local OpenShift', () => {
  let harness: LocalHarness;
  let drive: Driver;

  beforeAll(async () => {
    harness = await openLocal();
    drive = createDriver({ provider: () => harness.provider() });
    const bundle = await sampleBundle('ok');
    const want = sampleTarget({ application: 'used', platform: PLATFORM, number: 1, instances: 1 });
    await drive.deploy(want, bundle);
    await bundle.remove();
  });

  afterAll(async () => {
    await drive.close();
    await harness.close();
  });

  it('each instance shows what its processes really use', async () => {
    const end = systemClock.monotonic() + 10_000;
    for (;;) {
      // A new provider each time: another would keep the first answer for ten seconds.
      const provider = harness.provider();
      const { instances } = await provider.observe(drive.context, 'used');
      await provider.close();
      const [only] = instances;
      if (only?.memoryBytes !== undefined) {
        // A Node process: tens of megabytes, and next to no work.
        expect(only.memoryBytes / 1_048_576).toBeGreaterThan(20);
        expect(only.memoryBytes / 1_048_576).toBeLessThan(300);
        expect(only.cpu).toBeLessThan(1.5);
        return;
      }
      if (systemClock.monotonic() > end) throw new Error('nothing was measured');
      await systemClock.sleep(200);
    }
  });
});
