import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildProgram } from '../../src/app/run-cli.ts';
import { formatCaught } from '../../src/cli/print-error.ts';
import { fakeIo } from '../support/fake-io.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-init-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function sluice(args: readonly string[], env: Record<string, string> = {}) {
  const fake = fakeIo({ cwd: dir, env });
  try {
    await buildProgram(fake.io, 'unused', args).parseAsync([...args], { from: 'user' });
  } catch (caught) {
    const { text, status } = formatCaught(caught);
    return { status, out: fake.stdout(), err: fake.stderr() + text };
  }
  return { status: fake.status() ?? 0, out: fake.stdout(), err: fake.stderr() };
}

const ALL = ['--platform', 'cf-eu=cloudfoundry', 'openshift', 'selfhosted', 'old=static'];

describe('sluice init', () => {
  it('writes a file that validate takes, for every kind of platform', async () => {
    await writeFile(
      join(dir, 'package.json'),
      '{"name":"@acme/Web Shop","scripts":{"start":"node server.js"}}',
    );
    const made = await sluice(['init', ...ALL]);
    expect(made).toMatchObject({ status: 0, err: '' });
    expect(made.out).toContain('wrote sluice.yaml: web-shop on cf-eu, ocp, rack, old\n');
    expect(made.out).toContain('set CF_EU_USER, CF_EU_PASSWORD, OCP_TOKEN\n');
    const text = await readFile(join(dir, 'sluice.yaml'), 'utf8');
    expect(text).toContain(
      '    # As package.json says; it must listen on $PORT.\n    command: "node server.js"\n',
    );
    const env = { CF_EU_USER: 'u-ser', CF_EU_PASSWORD: 'p-assword', OCP_TOKEN: 't-oken' };
    expect(await sluice(['validate'], env)).toMatchObject({ status: 0 });
  });

  it('asks nothing: with nothing given it is this folder on this machine', async () => {
    const made = await sluice(['init', '--app', 'shop']);
    expect(made.out).toMatch(/^wrote sluice.yaml: shop on rack\n/);
    expect(await readFile(join(dir, 'sluice.yaml'), 'utf8')).toContain('# command: node server.js');
    expect(await sluice(['validate'])).toMatchObject({ status: 0 });
  });

  it('believes a flag before a Procfile, and that before package.json', async () => {
    await writeFile(join(dir, 'package.json'), '{"scripts":{"start":"a"}}');
    await writeFile(join(dir, 'Procfile'), 'worker: w\nweb: b --port $PORT\n');
    await sluice(['init', '--app', 'x']);
    expect(await readFile(join(dir, 'sluice.yaml'), 'utf8')).toContain('command: "b --port $PORT"');
    await sluice(['init', '--app', 'x', '--command', 'c', '-f', 'other.yaml']);
    expect(await readFile(join(dir, 'other.yaml'), 'utf8')).toContain('    command: "c"\n');
  });

  it('overwrites nothing', async () => {
    await writeFile(join(dir, 'sluice.yaml'), 'mine');
    const refused = await sluice(['init']);
    expect(refused.status).toBe(2);
    expect(refused.err).toContain('sluice.yaml is there already');
    expect(await readFile(join(dir, 'sluice.yaml'), 'utf8')).toBe('mine');
  });

  it.each([
    [['--platform', 'heroku'], 'no platform of kind "heroku"'],
    [['--platform', 'A_B=static'], 'not a name for a platform'],
    [['--platform', 'cloudfoundry', 'cloudfoundry'], 'two platforms are called "cf"'],
    [['--source', 'nowhere'], 'there is no folder'],
  ])('refuses %j', async (args, words) => {
    const refused = await sluice(['init', ...args]);
    expect(refused.status).not.toBe(0);
    expect(refused.err).toContain(words);
  });
});
