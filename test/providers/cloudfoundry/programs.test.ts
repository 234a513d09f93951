import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../../providers/cloudfoundry/local/server.ts';
import { createProvider } from '../../../providers/cloudfoundry/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { bundleFolder } from '../../../src/orchestrator/bundle.ts';
import { programCommand, programOf } from '../../../src/orchestrator/program.ts';
import { createRunner } from '../../../src/runner/runner.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { requestOrigin } from '../../support/request-origin.ts';
import { sampleTarget } from '../../support/sample-app.ts';
import { silentLogger } from './stub-api.ts';

const random = seededRandom(4);
const runner = createRunner({ clock: systemClock, random });
let dir: string;
let local: LocalCloudFoundry;
let drive: Driver;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-program-'));
  local = createLocalCloudFoundry({ dir: join(dir, 'cf'), runner, clock: systemClock, random, speed: 0.05 });
  await local.start();
  const { username, password } = local.credentials;
  const options = {
    api: local.apiUrl,
    org: local.organization,
    space: local.space,
    domain: local.domain,
    router: local.routerUrl,
    credentials: { username, password },
  };
  drive = createDriver({
    provider: () =>
      createProvider({ platform: 'cf', options, clock: systemClock, random, logger: silentLogger }),
  });
});
afterAll(async () => {
  await drive.close();
  await local.close();
  await runner.close();
  await rm(dir, { recursive: true, force: true });
});

it('a program alone is staged by the buildpack that takes anything, and runs by its name', async () => {
  const source = await mkdtemp(join(dir, 'source-'));
  const program = `#!/usr/bin/env node
require('node:http').createServer((_q, r) => r.end('a program')).listen(process.env.PORT);
`;
  await writeFile(join(source, 'server'), program);
  await chmod(join(source, 'server'), 0o755);
  const bundle = await bundleFolder(source);
  const want = sampleTarget({ application: 'shop', platform: 'cf', number: 1, instances: 1 });
  const release = { ...want.release, program: programOf(bundle)! };
  const process = { ...want.process, command: programCommand(release)! };
  await drive.deploy({ ...want, release, process }, bundle);
  const seen = await drive.fresh().observe(drive.context, 'shop');
  expect(await requestOrigin(seen.origins[0]!, '/')).toMatchObject({ status: 200, body: 'a program' });
  // The same files without that knowledge: no foundation guesses it.
  const plain = sampleTarget({ application: 'guess', platform: 'cf', number: 1, instances: 1 });
  expect(await drive.fail(drive.fresh().stage(drive.context, plain, bundle))).toMatchObject({
    class: 'buildFailed',
    why: expect.stringContaining('NoAppDetectedError'),
  });
});
