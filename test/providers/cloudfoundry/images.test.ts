import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { Bundle, TargetSpec } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { silentLogger } from './stub-api.ts';

const DIGEST = `sha256:${'c'.repeat(64)}`;
const REFERENCE = `quay.io/team/shop@${DIGEST}`;
const registry = { username: 'puller', password: 'planted-canary' };
const random = seededRandom(3);
const runner = createRunner({ clock: systemClock, random });
let dir: string;
let local: LocalCloudFoundry;
let drive: Driver;
let bundle: Bundle & { remove(): Promise<void> };

async function openFoundation(name: string, imagesDir?: string): Promise<LocalCloudFoundry> {
  const more = imagesDir === undefined ? {} : { imagesDir };
  const folder = join(dir, name);
  const made = createLocalCloudFoundry({
    ...{ dir: folder, runner, clock: systemClock, random, speed: 0.05 },
    ...more,
  });
  await made.start();
  return made;
}

function providerOf(foundation: LocalCloudFoundry) {
  const { username, password } = foundation.credentials;
  return createProvider({
    platform: 'cf',
    options: {
      api: foundation.apiUrl,
      org: foundation.organization,
      space: foundation.space,
      domain: foundation.domain,
      router: foundation.routerUrl,
      credentials: { username, password },
    },
    ...{ clock: systemClock, random, logger: silentLogger },
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  bundle = await sampleBundle('ok');
  const images = join(dir, 'registries');
  await mkdir(join(images, 'quay.io/team'), { recursive: true });
  await cp(bundle.root, join(images, 'quay.io/team', `shop@${DIGEST}`), { recursive: true });
  await writeFile(join(images, 'quay.io/credentials.json'), JSON.stringify(registry));
  local = await openFoundation('cf', images);
  drive = createDriver({ provider: () => providerOf(local) });
});
afterAll(async () => {
  await drive.close();
  await local.close();
  await runner.close();
  await bundle.remove();
  await rm(dir, { recursive: true, force: true });
});

function imageTarget(application: string, image: TargetSpec['image'], number = 1): TargetSpec {
  const want = sampleTarget({ application, platform: 'cf', number, instances: 1 });
  // What the image runs by itself.
  const process = { ...want.process, command: '' };
  return { ...want, process, ...(image === undefined ? {} : { image }) };
}

describe('a container image that was built elsewhere', () => {
  it('is staged from its registry, runs its own command, and can be tried beside what serves', async () => {
    const want = imageTarget('shop', { reference: REFERENCE, registry });
    const provider = drive.fresh();
    const artifact = await drive.succeed(provider.stage(drive.context, want, undefined));
    expect(artifact?.digest).toBe(DIGEST);
    await drive.succeed(provider.apply(drive.context, want, artifact!));
    const seen = await provider.observe(drive.context, 'shop');
    expect(seen).toMatchObject({ serving: want.release.id, desired: 1 });
    expect(await requestOrigin(seen.origins[0]!, '/')).toMatchObject({ status: 200 });
    expect(await provider.plan(drive.context, want, seen)).toEqual([]);

    const second = imageTarget('shop', { reference: REFERENCE, registry }, 2);
    const next = await drive.succeed(provider.stage(drive.context, second, undefined));
    await drive.succeed(provider.trial!.start(drive.context, second, next!));
    const both = await provider.observe(drive.context, 'shop');
    expect(both).toMatchObject({ serving: want.release.id, trial: { release: second.release.id } });
    const task = {
      ...{ name: 'look', run: 'look-1', memoryBytes: 64 * 1024 * 1024, timeoutMs: 20_000 },
      command: 'test -f server.js',
    };
    await drive.succeed(provider.tasks!.start(drive.context, second, next!, task));
    await drive.succeed(provider.destroy(drive.context, 'shop'));
    expect(JSON.stringify(drive.lines)).not.toContain('planted-canary');
  });

  it('that the registry does not give out fails while it is staged, with the words of the platform', async () => {
    const closed = imageTarget('closed', { reference: REFERENCE });
    expect(await drive.fail(drive.fresh().stage(drive.context, closed, undefined))).toMatchObject({
      class: 'buildFailed',
      message: 'the platform could not fetch the image',
      logTail: expect.arrayContaining([expect.stringContaining('authentication required')]),
    });
  });

  it('cannot follow files in the same application, and plan says so', async () => {
    const files = sampleTarget({ application: 'mixed', platform: 'cf', number: 1, instances: 1 });
    const provider = drive.fresh();
    await drive.deploy(files, bundle);
    const image = imageTarget('mixed', { reference: REFERENCE, registry }, 2);
    expect(await drive.fail(provider.stage(drive.context, image, undefined))).toMatchObject({
      class: 'unsupported',
      message: 'mixed is files there, and cannot become an image',
      remedy: expect.stringContaining('sluice destroy'),
    });
    const seen = await provider.observe(drive.context, 'mixed');
    const checks = await provider.check!(drive.context, image, seen);
    expect(checks.filter(({ error }) => error !== undefined)).toMatchObject([
      { what: 'lifecycle of the application', found: 'buildpack', error: { class: 'unsupported' } },
    ]);
  });

  it('is refused where the operator allows none, before anything is made there', async () => {
    const plain = await openFoundation('plain');
    const other = createDriver({ provider: () => providerOf(plain) });
    try {
      const provider = other.fresh();
      const want = imageTarget('shop', { reference: REFERENCE });
      const seen = await provider.observe(other.context, 'shop');
      const checks = await provider.check!(other.context, want, seen);
      expect(checks.find(({ error }) => error !== undefined)).toMatchObject({
        what: 'feature flag diego_docker',
        error: { class: 'unsupported', remedy: expect.stringContaining('cf enable-feature-flag') },
      });
      expect(await other.fail(provider.stage(other.context, want, undefined))).toMatchObject({
        class: 'unsupported',
        why: expect.stringContaining('Feature Disabled: diego_docker'),
      });
    } finally {
      await other.close();
      await plain.close();
    }
  });
});
