import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

beforeAll(async () => {
  world = await rack();
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
});

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
