import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LoggedEvent } from '../../src/core/events.ts';
import type { StatusView } from '../../src/core/status.ts';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;
const env = { GREETING: 'canary-S3cret' };
beforeAll(async () => {
  const made = await rack('', `    env: { GREETING: "\${GREETING}" }`);
  world = { ...made, run: (args, given) => made.run(args, { env, ...given }) };
});
afterAll(() => world.close());

function eventsIn(text: string): LoggedEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoggedEvent);
}

describe('without a server', () => {
  it('status says what the platforms say, and that nobody probes them', async () => {
    const shown = world.run(['status']);
    expect(await shown.ended).toBe(0);
    expect(shown.stdout()).toMatch(/^rack +1 +unknown +off +0 +0\.0 % +- .* no server runs to probe it$/m);
    expect(shown.stdout()).toContain('shop  not deployed');
    expect(shown.stderr()).toBe('no server runs: this is what the platforms say, and nobody probes them\n');
  });

  it('Ctrl-C stops a deployment at its next step; resume finishes it', async () => {
    const deploy = world.run(['deploy', '--json'], {
      onStdout: (text) => {
        if (text.includes('"phase":"staging"')) deploy.interrupt();
      },
    });
    expect(await deploy.ended).toBe(130);
    const [, id] = /as (d-[0-9a-f]+)\n/.exec(deploy.stderr()) ?? [];
    expect(deploy.stderr()).toContain(
      `stopping at the next step; go on later with \`sluice deployments resume ${id}\``,
    );
    expect(deploy.stderr()).toContain(`stopped; go on with \`sluice deployments resume ${id}\``);
    expect(eventsIn(deploy.stdout()).at(-1)).toMatchObject({
      type: 'deployment.finished',
      outcome: 'stopped',
    });

    const resumed = world.run(['deployments', 'resume', id!, '--json']);
    expect(await resumed.ended).toBe(0);
    expect(eventsIn(resumed.stdout()).at(-1)).toMatchObject({
      type: 'deployment.finished',
      deployment: id,
      outcome: 'done',
    });
    const again = world.run(['deployments', 'resume', id!]);
    expect(await again.ended).toBe(2);
    expect(again.stderr()).toContain('nothing to resume');
  });

  it('status then shows instances, release and API', async () => {
    const shown = world.run(['status', '--json']);
    expect(await shown.ended).toBe(0);
    const view = JSON.parse(shown.stdout()) as StatusView;
    expect(view.workers.ready).toBe(0);
    expect(view.applications[0]).toMatchObject({
      name: 'shop',
      release: { number: 1 },
      platforms: [
        {
          name: 'rack',
          verdict: { state: 'unknown' },
          instances: { running: 1, desired: 1 },
          release: { number: 1 },
          api: { reachable: true },
        },
      ],
    });
  });

  it('deployments and releases are listed', async () => {
    const deployments = world.run(['deployments']);
    expect(await deployments.ended).toBe(0);
    expect(deployments.stdout()).toMatch(/^d-\S+ +shop +r1 +rolling +\S+ +done +rack live$/m);
    const releases = world.run(['releases']);
    expect(await releases.ended).toBe(0);
    expect(releases.stdout()).toMatch(/^r1 +r-[0-9a-f]{10} +\S+ +rack$/m);
  });

  it('logs shows what it printed, with platform, release and instance', async () => {
    const shown = world.run(['logs']);
    expect(await shown.ended).toBe(0);
    expect(shown.stdout()).toMatch(/^\S+Z rack r1 app 0 \| serving with <redacted>$/m);
    const json = world.run(['logs', 'shop', '--json', '--lines', '1', '--source', 'app']);
    expect(await json.ended).toBe(0);
    expect(JSON.parse(json.stdout())).toMatchObject({ application: 'shop', platform: 'rack', number: 1 });
    expect(await world.run(['logs', '--source', 'syslog']).ended).toBe(2);
    expect(await world.run(['logs', '--lines', '0']).ended).toBe(2);
  });

  it('plan has nothing to change, and says so by its status when asked', async () => {
    const plan = world.run(['plan', '--exit-code']);
    expect(await plan.ended).toBe(0);
    expect(plan.stdout()).toBe('rack: nothing to change\n  ✓ 1 check passed\n');
  });

  it('rollback brings the release before back, and is in the event log', async () => {
    await writeFile(`${world.dir}/shop/VERSION`, '2\n');
    const deploy = world.run(['deploy']);
    expect(await deploy.ended).toBe(0);
    const back = world.run(['rollback', '--json']);
    expect(await back.ended).toBe(0);
    expect(back.stderr()).toMatch(/^bringing back r1 /);
    expect(eventsIn(back.stdout()).at(-1)).toMatchObject({ type: 'deployment.finished', outcome: 'done' });
    const releases = world.run(['releases']);
    await releases.ended;
    expect(releases.stdout()).toMatch(/^r1 +\S+ +\S+ +rack$/m);
    expect(releases.stdout()).toMatch(/^r2 +\S+ +\S+ +-$/m);
    const log = await readFile(`${world.dir}/.sluice/events/events.ndjson`, 'utf8');
    expect(log).toMatch(/"act":"rollback".*"subject":"shop to r1"/);
    const wrong = world.run(['rollback', 'r9']);
    expect(await wrong.ended).toBe(2);
    expect(wrong.stderr()).toContain('there is no release r9');
  });

  it('lock shows that nobody changes anything, and has nothing to break', async () => {
    const locks = world.run(['lock']);
    expect([await locks.ended, locks.stdout()]).toEqual([0, 'no lock is held\n']);
    const broken = world.run(['lock', 'break', 'shop', '--reason', 'it hangs']);
    expect(await broken.ended).toBe(2);
    expect(broken.stderr()).toContain('nobody holds the lock of shop');
  });

  it('a canary is refused once something serves: there is no gateway to split its traffic', async () => {
    const file = await readFile(world.file, 'utf8');
    await writeFile(
      world.file,
      file.replace('    targets:', '    deploy: { strategy: canary }\n    targets:'),
    );
    const deploy = world.run(['deploy']);
    expect(await deploy.ended).toBe(2);
    expect(deploy.stderr()).toContain('a canary needs a running `sluice serve`');
    await writeFile(world.file, file);
  });

  it('destroy is refused without a terminal and --yes; with it nothing is left', async () => {
    const refused = world.run(['destroy']);
    expect(await refused.ended).toBe(2);
    expect(refused.stderr()).toContain('pass --yes');
    const destroyed = world.run(['destroy', '--yes']);
    expect(await destroyed.ended).toBe(0);
    expect(destroyed.stdout()).toBe('rack: nothing of shop is left\n');
  });
});

describe('a platform that cannot be read', () => {
  it('is shown as down with its reason; the status is 1 when it was the only one', async () => {
    const file = `${world.dir}/unreadable.yaml`;
    const text = await readFile(world.file, 'utf8');
    await writeFile(file, text.replace('host.sock', 'nobody.sock'));
    const shown = world.run(['status', '-f', file, '--json']);
    expect(await shown.ended).toBe(1);
    const view = JSON.parse(shown.stdout()) as StatusView;
    const [platform] = view.applications[0]?.platforms ?? [];
    expect(platform).toMatchObject({ verdict: { state: 'unknown' }, api: { reachable: false } });
    expect(platform?.instances).toBeUndefined();
  });
});

describe('a server that was named', () => {
  it('must answer: nothing is done alone in its place', async () => {
    for (const command of ['status', 'deploy', 'releases']) {
      const asked = world.run([command, '--server', 'http://127.0.0.1:1']);
      expect(await asked.ended).toBe(1);
      expect(asked.stderr()).toContain('[SERVER_UNREACHABLE]');
    }
  });
});

describe('a file with faults', () => {
  it('is complained about, not passed over in favour of some server', async () => {
    const dir = `${world.dir}/faulty`;
    await mkdir(dir);
    await writeFile(`${dir}/sluice.yaml`, 'version: 1\nplatfroms: {}\n');
    const shown = world.run(['status'], { cwd: dir });
    expect(await shown.ended).toBe(64);
    expect(shown.stderr()).toContain('platfroms');
  });
});
