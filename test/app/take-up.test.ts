import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoggedEvent } from '../../src/core/events.ts';
import { type Serving, serve, sluice } from '../support/cli.ts';
import { childrenOf, until } from '../support/processes.ts';
import { type Rack, rack } from '../support/rack.ts';

let world: Rack;
let serving: Serving;

beforeEach(async () => {
  world = await rack();
  // Slow to start, so that there is a middle to be killed in.
  const text = await readFile(world.file, 'utf8');
  await writeFile(world.file, text.replace('command: node', 'command: sleep 1.5; exec node'));
  serving = await serve(['-f', world.file], world.dir);
});

afterEach(async () => {
  await serving.stop();
  await world.close();
});

async function killController(): Promise<void> {
  const children = await childrenOf(serving.pid);
  const controller = children.find((child) => child.env['SLUICE_ROLE'] === 'controller');
  process.kill(controller!.pid, 'SIGKILL');
}

describe('a deployment in a server', () => {
  it('goes on after its controller got SIGKILL, and whoever watches sees it end', async () => {
    const watching = sluice(['deploy', '-f', world.file, '--server', serving.adminUrl, '--json'], world.dir);
    await until('it starts instances', async () => {
      const answer = await fetch(`${serving.adminUrl}/v1/events?since=0`).catch(() => undefined);
      const events = ((await answer?.json()) ?? []) as LoggedEvent[];
      return events.some((event) => event.type === 'deployment.progress' && event.phase === 'starting');
    });
    await killController();
    const { status, stdout } = await watching;
    expect(stdout).toContain('the controller was replaced; the new one goes on');
    expect(stdout).toContain('"outcome":"done"');
    expect(status).toBe(0);
    const listed = await sluice(
      ['deployments', '--server', serving.adminUrl, '--json', '-f', world.file],
      world.dir,
    );
    expect(listed.stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(listed.stdout)).toMatchObject({ by: 'server', outcome: 'done' });
  }, 60_000);

  it('is refused when the server has another configuration than the person', async () => {
    const text = await readFile(world.file, 'utf8');
    const other = join(world.dir, 'other.yaml');
    await writeFile(other, text.replace('exec node server.js', 'exec node --no-warnings server.js'));
    const { status, stderr } = await sluice(['deploy', '-f', other, '--server', serving.adminUrl], world.dir);
    expect(status).toBe(1);
    expect(stderr).toContain('[SERVER_REFUSED]');
    expect(stderr).toContain('another configuration of shop');
    expect(stderr).toContain('put your file where the server reads its own');
  });
});
