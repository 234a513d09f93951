import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent } from '../../core/events.ts';
import type { Clock } from '../../core/ports.ts';
import type { Load } from './load.ts';
import { type Outage, seenBetween } from './summary.ts';
import { hasShare, lostShare, movedTraffic, noticed, shareNow, type Timeline } from './timeline.ts';

/** The play: what is broken, in which order, and how each act is judged. */
export interface Stage {
  readonly clock: Clock;
  readonly load: Load;
  readonly timeline: Timeline;
  readonly say: (line: string) => void;
  /** One sentence: why traffic is where it is. */
  readonly explain: () => Promise<string>;
  /** Told to whoever watches. */
  readonly onOutage: (outage: Outage) => void;
}

export interface Breakage {
  readonly platform: string;
  readonly fault: string;
  readonly title: string;
  readonly break: () => Promise<void>;
  readonly repair: () => Promise<void>;
}

const BROKEN_MS = 4_000;
const NOTICE_MS = 10_000;
const RETURN_MS = 30_000;

/** A platform goes away and comes back: traffic must leave at once and return when it is well. */
export async function platformOutage(stage: Stage, what: Breakage): Promise<Outage> {
  const { clock, timeline, say } = stage;
  const before = shareNow(timeline.events, what.platform);
  say(`✂ ${what.title}`);
  const brokenAt = clock.now();
  await what.break();
  const seen = await timeline.first(
    `${what.platform} is noticed`,
    brokenAt,
    noticed(what.platform),
    NOTICE_MS,
  );
  await timeline.first(`${what.platform} has no share`, brokenAt, lostShare(what.platform), NOTICE_MS);
  await clock.sleep(Math.max(0, BROKEN_MS - (clock.now() - brokenAt)));
  say(`  ${await stage.explain()}`);
  const repairedAt = clock.now();
  await what.repair();
  // Self-hosted instances may be back before we look: count from when traffic was gone.
  const goneSince = Math.min(repairedAt, clock.now());
  const back = await timeline.first(
    `${what.platform} gets traffic`,
    goneSince,
    hasShare(what.platform, 0.001),
    RETURN_MS,
  );
  await fullShare(stage, what.platform, before);
  const outage: Outage = {
    platform: what.platform,
    fault: what.fault,
    detectedMs: seen.at - brokenAt,
    ...seenBetween(stage.load.samples, { from: brokenAt, to: clock.now() }),
    returnedMs: Math.max(0, back.at - repairedAt),
  };
  say(`  ${what.platform} is back: ${await stage.explain()}`);
  stage.onOutage(outage);
  return outage;
}

/** The instances die and their host starts them anew by itself: traffic leaves and returns without anybody's help. */
export async function instancesKilled(
  stage: Stage,
  platform: string,
  kill: () => Promise<number>,
): Promise<Outage> {
  const { clock, timeline, say } = stage;
  const before = shareNow(timeline.events, platform);
  const brokenAt = clock.now();
  const killed = await kill();
  say(`✂ SIGKILL to all instances on ${platform} (${killed} processes)`);
  const seen = await timeline.first(`${platform} is noticed`, brokenAt, noticed(platform), NOTICE_MS);
  const lost = await timeline.first(`${platform} has no share`, brokenAt, lostShare(platform), NOTICE_MS);
  say(`  ${await stage.explain()}`);
  const back = await timeline.first(
    `${platform} gets traffic`,
    lost.at,
    hasShare(platform, 0.001),
    RETURN_MS,
  );
  await fullShare(stage, platform, before);
  const outage: Outage = {
    platform,
    fault: 'instances-killed',
    detectedMs: seen.at - brokenAt,
    ...seenBetween(stage.load.samples, { from: brokenAt, to: clock.now() }),
    returnedMs: back.at - brokenAt,
  };
  say(`  ${platform} is back: ${await stage.explain()}`);
  stage.onOutage(outage);
  return outage;
}

/** A platform's API dies while its applications live: nothing may move. */
export async function apiOutage(stage: Stage, what: Breakage): Promise<Outage> {
  const { clock, timeline, say } = stage;
  say(`✂ ${what.title}`);
  const brokenAt = clock.now();
  await what.break();
  const isNoticed = (event: LoggedEvent): boolean =>
    event.type === 'platform.api.down' && event.platform === what.platform;
  await timeline.first(`the API of ${what.platform} is missed`, brokenAt, isNoticed, 15_000);
  await clock.sleep(2_000);
  say(`  ${await stage.explain()}`);
  await what.repair();
  const outage: Outage = {
    platform: what.platform,
    fault: what.fault,
    detectedMs: null,
    ...seenBetween(stage.load.samples, { from: brokenAt, to: clock.now() }),
    returnedMs: null,
    moved: timeline.count(brokenAt, movedTraffic),
  };
  stage.onOutage(outage);
  return outage;
}

/** The part that thinks dies: the workers go on with the last table and nobody outside can tell. */
export async function controllerKilled(stage: Stage): Promise<Outage> {
  const { clock, timeline, say } = stage;
  const isController = (event: LoggedEvent): boolean =>
    event.type === 'process.started' && event.process === 'controller';
  const running = timeline.events.findLast(isController);
  if (running?.type !== 'process.started')
    throw new Error('the server never said which process its controller is');
  say(`✂ SIGKILL to the controller (pid ${running.pid})`);
  const brokenAt = clock.now();
  process.kill(running.pid, 'SIGKILL');
  await timeline.first('a new controller', brokenAt, isController, 15_000);
  await clock.sleep(2_000);
  say(`  ${await stage.explain()}`);
  const outage: Outage = {
    platform: 'sluice',
    fault: 'controller-killed',
    detectedMs: null,
    ...seenBetween(stage.load.samples, { from: brokenAt, to: clock.now() }),
    returnedMs: null,
    moved: timeline.count(brokenAt, movedTraffic),
  };
  stage.onOutage(outage);
  return outage;
}

/** A second release goes out to all platforms under the load. */
export async function secondRelease(
  stage: Stage,
  source: string,
  deploy: () => Promise<Readonly<Record<string, number>>>,
): Promise<Outage> {
  const { clock, say } = stage;
  say('↑ a second release goes out to all platforms under the load');
  const from = clock.now();
  await writeFile(join(source, 'VERSION'), '2\n');
  await deploy();
  const outage: Outage = {
    platform: 'all',
    fault: 'rollout',
    detectedMs: null,
    ...seenBetween(stage.load.samples, { from, to: clock.now() }),
    returnedMs: null,
  };
  say(`  ${await stage.explain()}`);
  stage.onOutage(outage);
  return outage;
}

async function fullShare(stage: Stage, platform: string, share: number): Promise<void> {
  const { timeline, clock } = stage;
  if (shareNow(timeline.events, platform) >= share * 0.95) return;
  await timeline.first(
    `${platform} has its full share`,
    clock.now(),
    hasShare(platform, share * 0.95),
    RETURN_MS,
  );
}
