import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProviderContext } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { providerAt, type TestHost, testHost } from './host-harness.ts';

const context: ProviderContext = {
  signal: new AbortController().signal,
  now: () => systemClock.now(),
  log: () => undefined,
};

describe('selfhosted provider', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await testHost('kill');
  });
  afterAll(() => host.end());

  it('tells how to start a daemon that is not there', async () => {
    const provider = providerAt('/tmp/sluice-nobody.sock');
    await expect(provider.describe(context)).rejects.toMatchObject({
      class: 'unavailable',
      details: { where: 'rack', remedy: 'start it: sluice host --socket /tmp/sluice-nobody.sock' },
    });
    await expect(provider.observe(context, 'shop')).rejects.toMatchObject({ class: 'unavailable' });
    await provider.close();
  });

  it('refuses to guess a command', async () => {
    const provider = host.provider();
    const want = sampleTarget({ application: 'shop', platform: 'rack', number: 1 });
    const empty = { ...want, process: { ...want.process, command: '' } };
    await expect(provider.apply(context, empty, { native: {} })).rejects.toMatchObject({ class: 'invalid' });
    await provider.close();
  });

  it('says that a release must be staged before it is applied', async () => {
    const provider = host.provider();
    const want = sampleTarget({ application: 'shop', platform: 'rack', number: 2 });
    await expect(provider.apply(context, want, { native: {} })).rejects.toMatchObject({
      class: 'notFound',
      details: { where: 'rack' },
    });
    await expect(provider.scale(context, 'shop', 2)).rejects.toMatchObject({ class: 'notFound' });
    await provider.close();
  });

  it('sends the files once', async () => {
    const provider = host.provider();
    const bundle = await sampleBundle();
    let packed = 0;
    const counted = {
      ...bundle,
      tarGz() {
        packed++;
        return bundle.tarGz();
      },
    };
    const want = sampleTarget({ application: 'once', platform: 'rack', number: 1 });
    await provider.stage(context, want, counted);
    await provider.stage(context, want, counted);
    expect(packed).toBe(1);
    await provider.destroy(context, 'once');
    await bundle.remove();
    await provider.close();
  });
});
