import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { serverClient } from '../../cli/server-client.ts';
import { SluiceError } from '../../core/errors.ts';
import type { LoggedEvent } from '../../core/events.ts';
import { executedTwice, readLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { pidsWithEnvironment } from './pids-with-environment.ts';
import {
  apiOutage,
  controllerKilled,
  instancesKilled,
  platformOutage,
  type Stage,
  secondRelease,
} from './script.ts';
import { type Outage, type Summary, summarise } from './summary.ts';
import { createTimeline } from './timeline.ts';
import { type DemoWorld, openWorld, type WorldOptions } from './world.ts';

export interface DemoOptions extends Omit<WorldOptions, 'say'> {
  readonly rps: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly onEvent: (event: LoggedEvent) => void;
  readonly onOutage: (outage: Outage) => void;
  /** The world stands: a dashboard may look at it. Its answer is called before the world falls. */
  readonly onWorld: (world: DemoWorld) => () => Promise<void>;
}

/** From nothing to three platforms, through five misfortunes and a rollout, to a summary. Leaves nothing running. */
export async function runDemo(options: DemoOptions): Promise<Summary> {
  const { clock, say, signal } = options;
  const world = await openWorld(options);
  const watching = new AbortController();
  const client = serverClient(world.adminUrl, undefined);
  const closeView = options.onWorld(world);
  try {
    const timeline = createTimeline(clock);
    void client.follow(
      0,
      (event) => {
        timeline.accept(event);
        options.onEvent(event);
      },
      watching.signal,
    );
    say('deploying the shop to cf, ocp and rack, together');
    const deploy = await deployShop(options, world);
    await timeline.first('all three platforms serve', 0, servesEverywhere, 30_000);

    say(`sending ${options.rps} requests a second, nine GETs to one POST`);
    const load = startLoad(world.gatewayUrl, options.rps, clock);
    const outages: Outage[] = [];
    const stage: Stage = {
      clock,
      load,
      timeline,
      say,
      explain: async () => (await client.explain('shop')).summary,
      onOutage: options.onOutage,
    };
    const acts: readonly (() => Promise<Outage>)[] = [
      () => platformOutage(stage, breakage(world, 'cf', 'router-down', 'the Cloud Foundry router is killed')),
      () => platformOutage(stage, breakage(world, 'ocp', 'router-frozen', 'the OpenShift router freezes')),
      () => instancesKilled(stage, 'rack', () => killAll(world)),
      () =>
        apiOutage(
          stage,
          breakage(world, 'cf', 'api-down', 'the Cloud Foundry API dies, its applications live'),
        ),
      () => controllerKilled(stage),
      () => secondRelease(stage, world.source, () => deployShop(options, world)),
    ];
    // Not ended by the signal: the check before each act has the words for it.
    await clock.sleep(1_500);
    for (const act of acts) {
      if (signal.aborted) throw new SluiceError('INTERRUPTED', 'the demo was interrupted');
      outages.push(await act());
    }
    await clock.sleep(1_000);
    await load.stop();
    return summarise(load.samples, executedTwice(await readLedger(world.ledger)), outages, deploy);
  } finally {
    watching.abort();
    await closeView();
    await client.close();
    await world.close();
  }
}

function servesEverywhere(event: LoggedEvent): boolean {
  if (event.type !== 'table.published') return false;
  const shares = event.shares['shop'] ?? {};
  return ['cf', 'ocp', 'rack'].every((platform) => (shares[platform] ?? 0) > 0.05);
}

function breakage(
  world: DemoWorld,
  platform: 'cf' | 'ocp',
  fault: 'router-down' | 'router-frozen' | 'api-down',
  title: string,
) {
  return {
    platform,
    fault,
    title,
    break: () => world.setFault(platform, fault, true),
    repair: () => world.setFault(platform, fault, false),
  };
}

async function killAll(world: DemoWorld): Promise<number> {
  const pids = await pidsWithEnvironment({ LEDGER_DIR: world.ledger, SLUICE_PLATFORM: 'rack' });
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

/** `sluice deploy`, as a user would run it: a command of its own that talks to the server. Seconds by platform. */
async function deployShop(options: DemoOptions, world: DemoWorld): Promise<Record<string, number>> {
  const args = [options.main, 'deploy', '-f', world.configuration, '--server', world.adminUrl, '--json'];
  const child = spawn(process.execPath, args, { cwd: world.dir, env: world.env as NodeJS.ProcessEnv });
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  let seconds: Record<string, number> | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as LoggedEvent;
    if (event.type === 'deployment.finished') seconds = { ...event.seconds, wall: event.elapsedMs / 1000 };
  });
  const status = await new Promise<number | null>((done) => child.on('close', done));
  if (status === 0 && seconds) return seconds;
  throw new SluiceError('NOT_HEALTHY', `the deployment of the shop ended with status ${status}`, {
    logTail: complaints.slice(-20),
  });
}
