import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { type Controller, createController } from '../../src/app/controller.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { LoggedEvent } from '../../src/core/events.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { fakeIo } from '../support/fake-io.ts';
import { until } from '../support/processes.ts';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;
let controller: Controller;
let server: string;

/** Where the log drain goes. */
let drained = '';
const collector = createServer((socket) => {
  socket.setEncoding('utf8').on('data', (text: string) => {
    drained += text;
  });
});

beforeAll(async () => {
  const port = await new Promise<number>((done) => {
    collector.listen(0, '127.0.0.1', () => done((collector.address() as { port: number }).port));
  });
  world = await rack('', `    logs: { drain: { to: "syslog+tcp://127.0.0.1:${port}", sources: [app] } }`);
  const settings = readSettings(fakeIo({ cwd: world.dir }).io, world.file);
  const { gateway } = settings;
  controller = await createController({
    settings: { ...settings, gateway: { ...gateway, admin: { ...gateway.admin, port: 0 } } },
    files: new Map(),
    read: () => ({ settings, diagnostics: [], files: new Map() }),
    hide() {},
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    // No workers: nobody to wait for either.
    send() {},
  });
  await controller.start();
  server = `http://127.0.0.1:${controller.adminPort}`;
});

afterAll(async () => {
  await controller.close();
  await world.close();
  await new Promise((done) => collector.close(done));
});

/** The one instance, as the host daemon knows it. */
async function instance(): Promise<{ readonly port: number; readonly pid: number }> {
  const agent = new Agent({ connect: { socketPath: `${world.dir}/host.sock` } });
  const answer = await request('http://host/v1/applications/shop', { dispatcher: agent });
  const { releases } = (await answer.body.json()) as {
    releases: { instances: { port: number; pid: number | null }[] }[];
  };
  await agent.close();
  const [one] = releases.flatMap(({ instances }) => instances);
  return { port: one?.port ?? 0, pid: one?.pid ?? 0 };
}

async function finished(): Promise<string | undefined> {
  const listed = world.run(['deployments', '--server', server, '--json']);
  await listed.ended;
  const [line] = listed.stdout().split('\n');
  return line ? (JSON.parse(line) as { outcome?: string }).outcome : undefined;
}

describe('with a server', () => {
  it('Ctrl-C only stops watching: the deployment goes on there', async () => {
    const deploy = world.run(['deploy', '--server', server, '--json'], {
      onStdout: (text) => {
        if (text.includes('"deployment.started"')) deploy.interrupt();
      },
    });
    expect(await deploy.ended).toBe(130);
    expect(deploy.stderr()).toMatch(/^d-\w+ goes on in the server; see it with `sluice deployments`$/m);
    expect(deploy.stdout()).not.toContain('deployment.finished');
    await until('it is done', async () => (await finished()) === 'done', 20_000);
  }, 30_000);

  it('deploy shows the server’s events from the first on, and ends as the deployment does', async () => {
    const deploy = world.run(['deploy', '--server', server, '--json']);
    expect(await deploy.ended).toBe(0);
    const types = deploy
      .stdout()
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as LoggedEvent).type);
    expect(types[0]).toBe('deployment.started');
    expect(types.at(-1)).toBe('deployment.finished');
  });

  it('status, events and explain are the server’s', async () => {
    await until('the release is up', async () => {
      const shown = world.run(['status', '--server', server]);
      return (await shown.ended) === 0 && /rack +1 +up +100 %/.test(shown.stdout());
    });
    const events = world.run(['events', '--server', server, '--last', '3']);
    expect(await events.ended).toBe(0);
    expect(events.stdout().trim().split('\n')).toHaveLength(3);
    const explained = world.run(['explain', '--server', server]);
    expect(await explained.ended).toBe(0);
    expect(explained.stdout()).toMatch(/^shop: /);
  });

  it('logs --follow goes on with what is printed, also over a restart of the instance', async () => {
    const followed = world.run(['logs', '--server', server, '--follow']);
    await until('the past is shown', async () => followed.stdout().includes('| serving with'));
    const { port } = await instance();
    await request(`http://127.0.0.1:${port}/before`);
    await until('it is shown', async () => followed.stdout().includes('| asked for /before'));
    process.kill((await instance()).pid, 'SIGKILL');
    await until('it serves again', async () => followed.stdout().split('| serving with').length === 3);
    await request(`http://127.0.0.1:${(await instance()).port}/after`);
    await until('that too', async () => followed.stdout().includes('| asked for /after'));
    followed.interrupt();
    expect(await followed.ended).toBe(0);
    expect(followed.stdout().match(/asked for/g)).toHaveLength(2);
    expect(followed.stdout()).toMatch(/^\S+Z rack r1 app 0 \| asked for \/after$/m);
  }, 30_000);

  it('the drain gets the same lines, and counts them', async () => {
    await until('they are drained', async () => drained.includes('] asked for /after'));
    expect(drained).toMatch(/^\d+ <14>1 \S+Z rack shop shop\/r-\w+\/0 app \[sluice@32473 platform="rack"/);
    const scraped = await (await request(`${server}/metrics`)).body.text();
    expect(scraped).toMatch(/^sluice_log_drain_lines_total\{application="shop",outcome="sent"\} [1-9]/m);
    expect(scraped).toContain('sluice_log_drain_up{application="shop"} 1');
  });

  it('scale orders instances, waits for them, and a deployment leaves them', async () => {
    const scaled = world.run(['scale', '--server', server, '--instances', '2', '--reason', 'a test']);
    expect(await scaled.ended).toBe(0);
    expect(scaled.stdout()).toMatch(/^rack: 1 → 2 instances in \S+$/m);
    const deploy = world.run(['deploy', '--server', server]);
    expect(await deploy.ended).toBe(0);
    await until('both are shown', async () => {
      const shown = world.run(['status', '--server', server]);
      await shown.ended;
      return /rack .* 2\/2 +\d+ % +\d+Mi +\d+ /.test(shown.stdout());
    });
    const back = world.run(['scale', '--server', server, '--reset', '--json']);
    expect(await back.ended).toBe(0);
    expect(JSON.parse(back.stdout())).toMatchObject({ platform: 'rack', from: 2, to: 1 });
    const scraped = await (await request(`${server}/metrics`)).body.text();
    expect(scraped).toMatch(/^sluice_target_memory_bytes\{application="shop",platform="rack"\} \d+/m);
    expect(await world.run(['scale', '--server', server]).ended).toBe(2);
  }, 30_000);

  it('logs that cannot be had are refused with a reason', async () => {
    const refused = world.run(['logs', '--server', server, '--on', 'elsewhere']);
    expect(await refused.ended).toBe(2);
    expect(refused.stderr()).toContain('name one of: rack');
  });

  it('events --follow goes on until it is interrupted', async () => {
    const followed = world.run(['events', '--server', server, '--last', '0', '--follow'], {
      onStdout: () => followed.interrupt(),
    });
    const again = world.run(['destroy', '--server', server, '--yes']);
    expect(await again.ended).toBe(0);
    expect(await followed.ended).toBe(0);
    expect(followed.stdout()).not.toBe('');
  });

  it('a count that is none is bad usage', async () => {
    expect(await world.run(['events', '--server', server, '--last', 'many']).ended).toBe(2);
  });
});
