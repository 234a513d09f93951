import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  createLocalCloudFoundry,
  type LocalCloudFoundry,
} from '../../providers/cloudfoundry/local/server.ts';
import { buildProgram } from '../../src/app/run-cli.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { fakeIo } from '../support/fake-io.ts';
import { sampleBundle } from '../support/sample-app.ts';

const random = seededRandom(8);
const runner = createRunner({ clock: systemClock, random });
const foundations: Record<string, LocalCloudFoundry> = {};
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-build-on-'));
  const bundle = await sampleBundle('ok');
  await cp(bundle.root, join(dir, 'shop'), { recursive: true });
  await bundle.remove();
  for (const name of ['eu', 'us']) {
    const folder = join(dir, name);
    const made = createLocalCloudFoundry({ dir: folder, runner, clock: systemClock, random, speed: 0.05 });
    await made.start();
    foundations[name] = made;
  }
  const platforms = Object.entries(foundations).map(
    ([name, { apiUrl, routerUrl, domain, organization, space }]) =>
      `  ${name}: { provider: cloudfoundry, api: "${apiUrl}", router: "${routerUrl}", org: ${organization}, space: ${space}, domain: ${domain}, credentials: { username: admin, password: admin } }`,
  );
  await writeFile(
    join(dir, 'sluice.yaml'),
    `version: 1
platforms:
${platforms.join('\n')}
applications:
  shop:
    source: ./shop
    memory: 64Mi
    health: { path: /, release: { header: x-release } }
    targets: { us: { buildOn: eu }, eu: {} }
gateway: { admin: { port: 1 } }
`,
  );
});
afterAll(async () => {
  for (const one of Object.values(foundations)) await one.close();
  await runner.close();
  await rm(dir, { recursive: true, force: true });
});

it('one foundation builds, and the other runs what it built', async () => {
  const fake = fakeIo({ cwd: dir });
  await buildProgram(fake.io, 'unused', ['deploy']).parseAsync(['deploy', '--json'], { from: 'user' });
  const told = fake.stdout();
  expect([fake.status() ?? 0, told]).toEqual([0, expect.stringContaining('"outcome":"done"')]);
  expect(told).toContain('waits for what eu builds');
  expect(told).toContain('takes what eu built');
  expect((await readdir(join(dir, 'eu/packages'))).length).toBe(1);
  expect(await readdir(join(dir, 'us/packages'))).toEqual([]);
}, 40_000);
