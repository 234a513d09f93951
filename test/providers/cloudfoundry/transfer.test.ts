import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import type { Bundle, StagedArtifact, TargetSpec } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { silentLogger, stubApi } from './stub-api.ts';

const random = seededRandom(5);
const runner = createRunner({ clock: systemClock, random });
let dir: string;
let bundle: Bundle & { remove(): Promise<void> };
let eu: LocalCloudFoundry;
let us: LocalCloudFoundry;
let onEu: Driver;
let onUs: Driver;

async function openFoundation(name: string): Promise<LocalCloudFoundry> {
  const folder = join(dir, name);
  const made = createLocalCloudFoundry({ dir: folder, runner, clock: systemClock, random, speed: 0.05 });
  await made.start();
  return made;
}

function driverOf(name: string, foundation: LocalCloudFoundry): Driver {
  const { username, password } = foundation.credentials;
  const options = {
    api: foundation.apiUrl,
    org: foundation.organization,
    space: foundation.space,
    domain: foundation.domain,
    router: foundation.routerUrl,
    credentials: { username, password },
  };
  const deps = { clock: systemClock, random, logger: silentLogger };
  return createDriver({ provider: () => createProvider({ platform: name, options, ...deps }) });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-transfer-'));
  bundle = await sampleBundle('ok');
  [eu, us] = await Promise.all([openFoundation('eu'), openFoundation('us')]);
  onEu = driverOf('eu', eu);
  onUs = driverOf('us', us);
});
afterAll(async () => {
  await Promise.all([onEu.close(), onUs.close()]);
  await Promise.all([eu.close(), us.close()]);
  await runner.close();
  await bundle.remove();
  await rm(dir, { recursive: true, force: true });
});

function target(application: string, platform: string): TargetSpec {
  const want = sampleTarget({ application, platform, number: 1, instances: 1 });
  // What staging found has to come along.
  return { ...want, process: { ...want.process, command: '' } };
}

async function scratch(): Promise<string> {
  return mkdtemp(join(dir, 'scratch-'));
}

async function staged(application: string): Promise<StagedArtifact> {
  const want = target(application, 'eu');
  return (await onEu.succeed(onEu.fresh().stage(onEu.context, want, bundle)))!;
}

describe('a droplet', () => {
  it('is taken from one foundation and runs on another, which builds nothing', async () => {
    const artifact = await staged('shop');
    const there = onEu.fresh().transfer!;
    const found = await there.find(onEu.context, 'shop', target('shop', 'eu').release.id);
    expect(found).toEqual(artifact);
    const built = await there.take(onEu.context, artifact, await scratch());
    const bits = createHash('sha256')
      .update(await readFile(built.file))
      .digest('hex');
    expect(artifact.digest).toBe(`sha256:${bits}`);

    const want = target('shop', 'us');
    const taken = await onUs.succeed(onUs.fresh().transfer!.give(onUs.context, want, built));
    expect(taken?.digest).toBe(artifact.digest);
    await onUs.succeed(onUs.fresh().apply(onUs.context, want, taken!));
    const seen = await onUs.fresh().observe(onUs.context, 'shop');
    expect(seen.serving).toBe(want.release.id);
    expect(await requestOrigin(seen.origins[0]!, '/')).toMatchObject({ status: 200 });
    // No package, so nothing was built; and whoever stages it later finds it.
    const again = await onUs.fresh().stage(onUs.context, want, bundle);
    expect(again.done?.artifact).toEqual(taken);
    const twice = await onUs.fresh().transfer!.give(onUs.context, want, built);
    expect(twice.done?.artifact).toEqual(taken);
    expect((await readdir(join(dir, 'us/packages'))).length).toBe(0);
  });

  it('is not there before anything was built', async () => {
    const there = onEu.fresh().transfer!;
    expect(await there.find(onEu.context, 'nobody', 'r-0000000000')).toBeUndefined();
  });

  it('that is not what the foundation says is not given on', async () => {
    const artifact = await staged('broken');
    const guid = artifact.native['droplet']!;
    await writeFile(join(dir, 'eu/droplets', `${guid}.tgz`), 'other bytes');
    const take = onEu.fresh().transfer!.take(onEu.context, artifact, await scratch());
    await expect(take).rejects.toMatchObject({
      class: 'unavailable',
      message: 'what was built there did not arrive whole',
    });
  });

  it('for another stack is refused before a byte is sent', async () => {
    const artifact = await staged('stacked');
    const built = await onEu.fresh().transfer!.take(onEu.context, artifact, await scratch());
    const other = { ...built, native: { ...built.native, stack: 'cflinuxfs3' } };
    const give = onUs.fresh().transfer!.give(onUs.context, target('stacked', 'us'), other);
    await expect(give).rejects.toMatchObject({
      class: 'unsupported',
      details: { why: 'it was built for the stack cflinuxfs3, and the application has cflinuxfs4' },
    });
  });

  it('that is none fails there with the words of the platform', async () => {
    const artifact = await staged('hollow');
    const built = await onEu.fresh().transfer!.take(onEu.context, artifact, await scratch());
    await writeFile(built.file, 'no archive');
    const want = target('hollow', 'us');
    expect(await onUs.fail(onUs.fresh().transfer!.give(onUs.context, want, built))).toMatchObject({
      class: 'buildFailed',
      message: 'the platform could not take what eu built',
    });
    // What failed is in nobody's way.
    await onUs.succeed(onUs.fresh().stage(onUs.context, want, bundle));
  });

  it('is read from the blobstore without our token', async () => {
    const asked: (string | undefined)[] = [];
    const store: Server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end('bits');
    });
    await new Promise<void>((open) => store.listen(0, '127.0.0.1', open));
    const { port } = store.address() as AddressInfo;
    const value = createHash('sha256').update('bits').digest('hex');
    const stub = await stubApi();
    stub.handle = ({ path }) => {
      if (path === '/v3/droplets/d/download')
        return {
          status: 302,
          headers: { location: `http://127.0.0.1:${port}/blob?signature=planted-canary` },
        };
      if (path === '/v3/droplets/d')
        return {
          body: { guid: 'd', state: 'STAGED', stack: 'cflinuxfs4', checksum: { type: 'sha256', value } },
        };
      return undefined;
    };
    try {
      const take = stub
        .provider()
        .transfer!.take(onEu.context, { native: { droplet: 'd' } }, await scratch());
      expect(await readFile((await take).file, 'utf8')).toBe('bits');
      expect(asked).toEqual([undefined]);
    } finally {
      store.close();
      await stub.close();
    }
  });
});
