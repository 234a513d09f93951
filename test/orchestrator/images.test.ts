import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { never, openWorld, type World } from './world.ts';

const DIGEST = `sha256:${'e'.repeat(64)}`;
let world: World;
let cf: FakePlatform;

beforeEach(async () => {
  world = await openWorld();
  cf = world.platforms['cf']!;
});
afterEach(() => world.close());

function asImage(reference = `quay.io/shop@${DIGEST}`, password = 'planted-canary'): ApplicationSettings {
  return {
    ...world.shop,
    source: undefined,
    image: { reference, registry: { username: 'me', password } },
  };
}

async function deployImage(application = asImage()) {
  const orchestrator = await world.open(application);
  const wish = { application: 'shop', platforms: undefined, bundle: undefined };
  return { orchestrator, record: await (await orchestrator.deploy(wish, never)).finished };
}

describe('a release that is an image', () => {
  it('is deployed without files, under the digest of the image, and no state holds its password', async () => {
    const { record } = await deployImage();
    expect(record).toMatchObject({
      outcome: 'done',
      release: { sourceDigest: DIGEST, image: `quay.io/shop@${DIGEST}` },
    });
    expect(cf.applied.at(-1)?.image).toMatchObject({ reference: `quay.io/shop@${DIGEST}` });
    for (const kind of ['releases', 'release-configurations', 'deployments'])
      for (const key of await world.store.keys(kind))
        expect(JSON.stringify(await world.store.get(kind, key))).not.toContain('planted-canary');
  });

  it('is the same release with other credentials, and another one from another place', async () => {
    const first = (await deployImage()).record.release.id;
    expect((await deployImage(asImage(undefined, 'another'))).record.release.id).toBe(first);
    expect((await deployImage(asImage(`mirror.io/shop@${DIGEST}`))).record.release.id).not.toBe(first);
  });

  it('comes back after files, pulled with the credentials of now, and files come back after it', async () => {
    const image = (await deployImage()).record.release;
    const files = await world.deploy(await world.open(), 'two');
    const now = await world.open(asImage(`quay.io/other@${DIGEST}`, 'another'));
    const back = { application: 'shop', to: undefined, platforms: undefined, force: false };
    const first = await (await now.rollback({ ...back, to: image.id }, never)).finished;
    expect(first).toMatchObject({ outcome: 'done', release: { id: image.id } });
    expect(cf.applied.at(-1)?.image).toEqual({
      reference: `quay.io/shop@${DIGEST}`,
      registry: { username: 'me', password: 'another' },
    });
    const second = await (await now.rollback({ ...back, to: files.release.id }, never)).finished;
    expect(second.outcome).toBe('done');
    expect(cf.applied.at(-1)?.image).toBeUndefined();
  });

  it('cannot be deployed by somebody who has files', async () => {
    const orchestrator = await world.open(asImage());
    const bundle = await world.source('one');
    await expect(
      orchestrator.deploy({ application: 'shop', platforms: undefined, bundle }, never),
    ).rejects.toMatchObject({ code: 'USAGE', details: { why: 'what was sent is files' } });
  });
});
