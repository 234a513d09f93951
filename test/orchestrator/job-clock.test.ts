import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { platformError } from '../../src/core/errors.ts';
import type { JobSettings } from '../../src/core/task-settings.ts';
import { createEventLog } from '../../src/events/log.ts';
import { createJobClock, type JobClock } from '../../src/orchestrator/job-clock.ts';
import type { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import { taskRecordsIn } from '../../src/orchestrator/task-records.ts';
import type { FakePlatform } from '../support/fake-provider.ts';
import { openWorld, type World } from './world.ts';

const MINUTE_MS = 60_000;

let world: World;
let orchestrator: Orchestrator;
let cf: FakePlatform;
let ocp: FakePlatform;
let active: Set<string> | undefined;
let forbidden: (platform: string) => string | undefined;
let job: JobSettings;

beforeEach(async () => {
  world = await openWorld();
  cf = world.platforms['cf']!;
  ocp = world.platforms['ocp']!;
  active = new Set(['cf', 'ocp']);
  forbidden = () => undefined;
  // Every five minutes; the world begins at 16 min 40 s after the hour.
  job = {
    ...{ name: 'report', command: 'report', memoryBytes: 1, runOn: 'one', cron: '*/5 * * * *' },
    ...{ timeZone: 'UTC', timeoutMs: 600_000, overlap: 'forbid', catchUpMs: 2 * MINUTE_MS },
  };
  await deployed();
});

afterEach(() => world.close());

async function deployed(): Promise<void> {
  orchestrator = await world.open({ ...world.shop, jobs: [job] }, { by: 'server' });
  await world.deploy(orchestrator, 'one');
}

/** As a controller that has just started would have it. */
function clockOf(now: JobSettings = job): JobClock {
  const events = createEventLog({ clock: world.clock, redact: (event) => event });
  events.onEvent((event) => world.events.push(event));
  return createJobClock({
    settings: { applications: { shop: { ...world.shop, jobs: [now] } } },
    store: world.store,
    clock: world.clock,
    events,
    logger: { debug() {}, info() {}, warn() {}, error: (fields) => void unexpected.push(fields) },
    begin: orchestrator.runs.begin,
    live: async () => new Set(Object.keys((await orchestrator.releases('shop')).live)),
    active: () => active,
    forbidden: (_application, platform) => forbidden(platform),
  });
}
const unexpected: object[] = [];

/** Time goes on, with a look every ten seconds. */
async function pass(jobs: JobClock, ms: number): Promise<void> {
  const until = world.clock.now() + ms;
  while (world.clock.now() < until) {
    await world.clock.sleep(10_000);
    await jobs.look();
  }
}
const runs = () => [...cf.ran.keys(), ...ocp.ran.keys()];
const missed = () => world.events.flatMap((event) => (event.type === 'task.missed' ? [event.why] : []));

describe('a job by the clock', () => {
  it('runs once at each of its times, with the release that is live', async () => {
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 10 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([2, 0]);
    const [record] = await taskRecordsIn(world.store).list('shop');
    expect(record).toMatchObject({ trigger: 'schedule', task: 'report', state: 'succeeded', platform: 'cf' });
    expect(missed()).toEqual([]);
    expect(unexpected).toEqual([]);
  });

  it('does not run for times before it stood in the file, nor before its schedule was another', async () => {
    await world.clock.sleep(4 * MINUTE_MS);
    await clockOf().look();
    expect(runs()).toEqual([]);
    await clockOf({ ...job, cron: '*/3 * * * *' }).look();
    expect(runs()).toEqual([]);
  });

  it('follows traffic: at its time it runs on the first that is active', async () => {
    const jobs = clockOf();
    await jobs.look();
    active = new Set(['ocp']);
    await pass(jobs, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([0, 1]);
  });

  it('runs on all that are active, or on all, each once', async () => {
    job = { ...job, runOn: 'active' };
    await deployed();
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size, new Set(runs()).size]).toEqual([1, 1, 2]);
    active = new Set(['cf']);
    await pass(jobs, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([2, 1]);
    const everywhere = clockOf({ ...job, runOn: 'all' });
    await pass(everywhere, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([3, 2]);
  });

  it('is not begun again by a controller that starts anew', async () => {
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 4 * MINUTE_MS);
    expect(runs()).toHaveLength(1);
    await clockOf().look();
    // Nor when what it had written down is lost.
    await world.store.put('schedules', 'shop/report', { schedule: '*/5 * * * * UTC', done: 0 });
    await clockOf().look();
    expect(runs()).toHaveLength(1);
  });

  it('waits while something keeps it, and runs late', async () => {
    const jobs = clockOf();
    await jobs.look();
    active = undefined;
    await pass(jobs, 4 * MINUTE_MS);
    expect(runs()).toEqual([]);
    active = new Set(['cf']);
    await pass(jobs, 20_000);
    expect([runs().length, missed()]).toEqual([1, []]);
  });

  it('is left out when it would be too late, and says what was in its way', async () => {
    const jobs = clockOf();
    await jobs.look();
    active = new Set();
    await pass(jobs, 7 * MINUTE_MS);
    expect([runs(), missed()]).toEqual([[], ['no platform is active']]);
    active = new Set(['cf']);
    await pass(jobs, MINUTE_MS);
    expect([runs().length, missed().length]).toEqual([0, 1]);
  });

  it('is left out for the times at which nobody was there', async () => {
    await clockOf().look();
    await world.clock.sleep(3 * 5 * MINUTE_MS + 30_000);
    const jobs = clockOf();
    await jobs.look();
    await jobs.look();
    expect([runs(), missed()]).toEqual([[], ['nobody was there to run it, and now it is too late']]);
  });

  it('is left out while the run before is under way, unless both may run', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((done) => {
      end = done;
    });
    cf.onPoll = ({ kind }) => {
      if (kind === 'task') cf.hold = ended;
    };
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 5 * MINUTE_MS);
    const [first] = runs();
    await pass(jobs, 5 * MINUTE_MS);
    const why = `the run before, ${first}, is still under way on cf`;
    expect([runs(), missed()]).toEqual([[first], [why]]);
    active = new Set(['ocp']);
    await pass(clockOf({ ...job, overlap: 'allow' }), 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([1, 1]);
    end();
  });

  it('goes to the next platform when the first refuses it, and stays where it may have begun', async () => {
    const jobs = clockOf();
    await jobs.look();
    cf.refusing.task = platformError('quota', 'cf', 'no memory left');
    await pass(jobs, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([0, 1]);
    cf.refusing.task = platformError('unavailable', 'cf', 'the API does not answer');
    await pass(jobs, 5 * MINUTE_MS);
    delete cf.refusing.task;
    await pass(jobs, 20_000);
    expect(ocp.ran.size).toBe(1);
  });

  it('runs the command that was deployed, whatever the file says by now', async () => {
    job = { ...job, command: 'another' };
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 5 * MINUTE_MS);
    expect(cf.commands).toEqual(['report']);
  });

  it('does not run on a platform where people have forbidden it', async () => {
    forbidden = (platform) => (platform === 'cf' ? 'it is stopped' : undefined);
    const jobs = clockOf();
    await jobs.look();
    await pass(jobs, 5 * MINUTE_MS);
    expect([cf.ran.size, ocp.ran.size]).toEqual([0, 1]);
    forbidden = () => 'it is stopped';
    await pass(jobs, 7 * MINUTE_MS);
    expect(missed()).toEqual(['cf: it is stopped; ocp: it is stopped']);
  });
});
