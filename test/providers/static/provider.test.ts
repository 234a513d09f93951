import { describe, expect, it } from '@jest/globals';
import { type Options, schema } from '../../../providers/static/config.ts';
import { createProvider } from '../../../providers/static/provider.ts';
import type { ProviderContext } from '../../../src/core/provider.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';

const context: ProviderContext = {
  signal: new AbortController().signal,
  now: () => 42,
  log: () => undefined,
};
const quiet = () => undefined;

function provider(options: Options) {
  return createProvider({
    platform: 'legacy',
    options,
    clock: virtualClock(),
    random: () => 0,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
}

describe('static provider', () => {
  it('observes its origins as they were given', async () => {
    const legacy = provider({ origins: ['http://10.1.0.5:8080', 'https://old.example.com'] });
    expect(await legacy.observe(context, 'shop')).toEqual({
      at: 42,
      apiLatencyMs: 0,
      exists: true,
      releases: [],
      serving: undefined,
      instances: [],
      desired: 0,
      origins: [
        { url: 'http://10.1.0.5:8080', hostHeader: undefined },
        { url: 'https://old.example.com', hostHeader: undefined },
      ],
      env: {},
      foreign: [],
    });
  });

  it('sends the Host it was told, and its name as SNI where there is TLS', async () => {
    const legacy = provider({
      origins: ['http://10.0.0.1', 'https://10.0.0.2'],
      hostHeader: 'shop.test:444',
    });
    const { origins } = await legacy.observe(context, 'shop');
    expect(origins).toEqual([
      { url: 'http://10.0.0.1', hostHeader: 'shop.test:444' },
      { url: 'https://10.0.0.2', hostHeader: 'shop.test:444', sni: 'shop.test' },
    ]);
    expect((await legacy.describe(context)).capabilities.hostHeader).toBe('must-match');
  });

  it('has nothing to deploy, and says so at once', async () => {
    const legacy = provider({ origins: ['http://10.0.0.1'] });
    const want = sampleTarget({ application: 'shop', platform: 'legacy', number: 1 });
    const bundle = await sampleBundle();
    await bundle.remove();
    expect(await legacy.plan(context, want, await legacy.observe(context, 'shop'))).toEqual([]);
    const staged = await legacy.stage(context, want, bundle);
    const all = [
      staged,
      await legacy.apply(context, want, staged.done?.artifact ?? { native: {} }),
      await legacy.retire(context, 'shop', want.release.id),
      await legacy.destroy(context, 'shop'),
      await legacy.scale(context, 'shop', 1),
    ];
    for (const operation of all) expect(operation.done?.state).toBe('succeeded');
    expect((await legacy.poll(context, staged.handle)).state).toBe('succeeded');
  });

  it('does not pretend to scale', async () => {
    const legacy = provider({ origins: ['http://10.0.0.1'] });
    await expect(legacy.scale(context, 'shop', 3)).rejects.toMatchObject({
      class: 'unsupported',
      details: { where: 'legacy', remedy: 'start more by hand and add them to `origins` of legacy' },
    });
  });
});

describe('static options', () => {
  it('takes addresses only, and writes them one way', () => {
    const options = schema.parse({ origins: ['HTTP://Old.Example.com:80/', 'https://10.0.0.1:8443'] });
    expect(options.origins).toEqual(['http://old.example.com', 'https://10.0.0.1:8443']);
    // Decoded once more from plain JSON, as the registry does.
    expect(schema.parse(options)).toEqual(options);
  });

  it.each([
    ['no origin', { origins: [] }],
    ['a path', { origins: ['http://a.test/app'] }],
    ['a query', { origins: ['http://a.test?x=1'] }],
    ['credentials', { origins: ['http://user:pass@a.test'] }],
    ['another scheme', { origins: ['ftp://a.test'] }],
    ['no URL', { origins: ['a.test:80'] }],
    ['the same twice', { origins: ['http://a.test', 'http://A.test:80'] }],
    ['an unknown key', { origins: ['http://a.test'], origin: 'http://b.test' }],
  ])('refuses %s', (_name, block) => {
    expect(schema.safeParse(block).success).toBe(false);
  });
});
