import { concerns } from '../core/acts.ts';
import type { Acts, Drills, DrillWish } from '../core/control.ts';
import type { DeploymentRecord } from '../core/deployment.ts';
import {
  DEFAULT_STALE_AFTER_MS,
  type DrillRecord,
  type DrillSettings,
  type DrillStanding,
  standingOf,
} from '../core/drill.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Clock, Dispose, EventLog, Logger, Random, Runnable, StateStore } from '../core/ports.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import type { TrafficSignal } from '../core/signals.ts';
import { advanceDrill, type DrillOrder, type DrillSight, returnLimitMs } from '../engine/drill.ts';
import { objectionsTo } from '../engine/drill-conditions.ts';
import type { Engine, Insight } from '../engine/engine.ts';
import type { schedule } from '../engine/schedule.ts';
import { giveBack, liftDrill } from './drill-leftovers.ts';
import { applicationOf, newDrill, planOf, returningBy } from './drill-plan.ts';
import { drillRecords } from './drill-records.ts';
import { armDrills } from './drill-schedule.ts';

const LOOK_EVERY_MS = 200;
const DEPLOYMENTS_EVERY_MS = 5_000;
/** One without an end that began longer ago broke off. */
const DEPLOYMENT_MS = 3_600_000;
/** A drain outlives its drill by this much at most, should nobody be left to lift it. */
const MARGIN_MS = 120_000;

export interface DrillsDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly engine: Pick<Engine, 'insight' | 'table'>;
  readonly acts: Acts;
  readonly store: StateStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Resolves true when every worker follows this version of the table. */
  readonly applied: (version: number, withinMs: number) => Promise<boolean>;
  /** What clients were answered so far: all requests, and those with 5xx. */
  readonly answers: (application: ApplicationName) => { readonly requests: number; readonly failed: number };
  readonly deployments: () => Promise<readonly DeploymentRecord[]>;
  readonly schedule: typeof schedule;
}

export interface DrillRunner extends Drills, Runnable {
  hear(signal: TrafficSignal): void;
  /** The configuration is another one: fires what it has now. */
  rearm(): void;
  /** What drills have shown of a platform; undefined where it is the only one. */
  lastDrill(application: ApplicationName, platform: PlatformName): DrillStanding | undefined;
}

interface Running {
  record: DrillRecord;
  readonly abortIf: DrillSettings['abortIf'];
  readonly answersBefore: { readonly requests: number; readonly failed: number };
  slowestMs: number;
  isAway: boolean;
  asksWorkers: boolean;
  /** An order of ours was given, so it should be in force. */
  hasOrder: boolean;
  deployment: string | undefined;
  /** An order is on its way. */
  busy: boolean;
}

/** Runs drills: looks, asks the state machine what is next, and gives the orders. */
export function createDrills(deps: DrillsDeps): DrillRunner {
  const { settings, engine, acts, events, clock, random, logger } = deps;
  const records = drillRecords(deps.store);
  const running = new Map<ApplicationName, Running>();
  const beginning = new Set<ApplicationName>();
  let timers: readonly Dispose[] = [];
  let armed: readonly Dispose[] = [];

  function sightOf(
    application: ApplicationSettings,
    insight: Insight,
    run: Omit<Running, 'busy'> | undefined,
  ): DrillSight {
    const { requests, failed } = deps.answers(application.name);
    const before = run?.answersBefore ?? { requests, failed };
    const id = run?.record.id;
    return {
      now: clock.now(),
      policy: application.policy,
      ...insight,
      isAway: run?.isAway ?? false,
      isOrdered: run?.hasOrder !== true || acts.acts().some((act) => act.drill === id),
      deployment: run?.deployment,
      answers: { requests: requests - before.requests, failed: failed - before.failed },
      slowestMs: run?.slowestMs ?? 0,
    };
  }

  async function underWay(application: ApplicationName): Promise<string | undefined> {
    const all = await deps.deployments();
    return all.find(
      (one) =>
        one.application === application &&
        one.outcome === undefined &&
        clock.now() - one.startedAt < DEPLOYMENT_MS,
    )?.id;
  }

  async function begin(wish: DrillWish): Promise<DrillRecord> {
    const application = applicationOf(settings, wish);
    const plan = planOf(application, wish);
    const insight = engine.insight(application.name);
    const now = clock.now();
    const id = `dr-${now.toString(36)}${Math.floor(random() * 46_656).toString(36)}`;
    const drill = newDrill(id, plan, { application, who: wish.who, insight, now });
    // One that is over may still be writing its report; everybody can see already that it is over.
    const other = running.get(application.name)?.record.phase ?? 'over';
    if (other !== 'over' || beginning.has(application.name)) {
      throw await blocked(drill, [`another drill of ${application.name} is under way`], false);
    }
    beginning.add(application.name);
    try {
      const deployment = await underWay(application.name);
      if (insight === undefined) throw await blocked(drill, ['nothing is known of it yet'], false);
      const sight = { ...sightOf(application, insight, undefined), deployment };
      const against = objectionsTo(plan, sight);
      const counting = against.filter(({ forceable }) => !forceable || !wish.force);
      if (counting.length > 0) {
        const forceable = counting.every((one) => one.forceable);
        throw await blocked(
          drill,
          counting.map(({ text }) => text),
          forceable,
        );
      }
      return await start(drill, plan);
    } finally {
      beginning.delete(application.name);
    }
  }

  /** The error to throw, once it is on record. */
  async function blocked(
    drill: DrillRecord,
    why: readonly string[],
    forceable: boolean,
  ): Promise<SluiceError> {
    const { id, name, application, platform, who } = drill;
    await keep({ ...drill, phase: 'over', outcome: 'blocked', why, finishedAt: clock.now() });
    events.append({ type: 'drill.blocked', drill: id, name, application, platform, who, why });
    return new SluiceError('SAFETY_VETO', `the drill of ${platform} did not begin`, {
      where: `${application} on ${platform}`,
      why: why.join('\n'),
      remedy: forceable ? 'add --force to do it all the same' : 'try again when that is over',
    });
  }

  async function start(drill: DrillRecord, { abortIf }: DrillSettings): Promise<DrillRecord> {
    const { id, name, application, platform, who, forMs } = drill;
    // Who cannot put it on record must not begin it.
    await records.put(drill);
    const run: Running = {
      record: drill,
      abortIf,
      answersBefore: deps.answers(application),
      slowestMs: 0,
      isAway: false,
      asksWorkers: false,
      hasOrder: false,
      deployment: undefined,
      busy: true,
    };
    running.set(application, run);
    events.append({ type: 'drill.started', drill: id, name, application, platform, who, forMs });
    try {
      await order(run, 'drain', forMs + 2 * drill.expect.shiftWithinMs + MARGIN_MS);
    } catch (error) {
      const { message } = SluiceError.from(error);
      run.record = { ...drill, outcome: 'aborted', why: [`it could not be ordered: ${message}`] };
      await end(run);
      throw error;
    }
    run.busy = false;
    turn(run);
    return run.record;
  }

  async function order(
    run: Running,
    kind: 'drain' | 'failback' | 'failover',
    forMs: number,
    atOnce = false,
  ): Promise<void> {
    const { id, name, application, platform, who } = run.record;
    const subject = { kind, platform, application, who: `drill ${name}`, reason: `for ${who}` };
    await acts.order({ ...subject, forMs, force: false, drill: id, ...(atOnce ? { atOnce } : {}) });
    run.hasOrder = true;
  }

  async function liftAll(run: Running): Promise<void> {
    run.hasOrder = false;
    await liftDrill(acts, run.record);
  }

  async function bringBack(run: Running, atOnce: boolean): Promise<void> {
    try {
      await liftAll(run);
    } catch (error) {
      logger.error(
        { drill: run.record.id, err: String(error) },
        'the drain of a drill is not lifted for good',
      );
    }
    const application = settings.applications[run.record.application];
    if (application === undefined) return;
    const isHeld = acts.acts().some((act) => act.kind === 'hold' && concerns(act, application.name));
    const kind = isHeld ? 'failback' : returningBy(application, run.record);
    await order(run, kind, returnLimitMs(application.policy) + MARGIN_MS, atOnce);
  }

  function turn(run: Running): void {
    if (run.busy) return;
    const application = settings.applications[run.record.application];
    const insight = engine.insight(run.record.application);
    const stays = application?.targets.some(({ platform }) => platform === run.record.platform) === true;
    if (application === undefined || insight === undefined || !stays) {
      leave(run, 'the configuration does not have it any more');
      return;
    }
    askWorkers(run, insight);
    const before = run.record;
    const sight = sightOf(application, insight, run);
    const { drill, order: next } = advanceDrill(before, run, sight);
    run.record = drill;
    run.slowestMs = 0;
    if (next === 'none' && drill.phase === before.phase) return;
    if (drill.outcome === 'aborted' && before.outcome === undefined) tellAborted(drill);
    perform(run, next);
  }

  function perform(run: Running, next: DrillOrder): void {
    run.busy = true;
    carryOut(run, next)
      .catch((error: unknown) => {
        logger.error({ drill: run.record.id, err: String(error) }, 'an order of a drill failed');
      })
      .finally(() => {
        run.busy = false;
      });
  }

  async function carryOut(run: Running, next: DrillOrder): Promise<void> {
    if (next === 'end') return end(run);
    try {
      if (next !== 'none') await bringBack(run, next === 'recall');
    } finally {
      await keep(run.record);
    }
  }

  function leave(run: Running, why: string): void {
    const { record } = run;
    run.record = { ...record, outcome: record.outcome ?? 'interrupted', why: [...record.why, why] };
    perform(run, 'end');
  }

  async function end(run: Running): Promise<void> {
    const now = clock.now();
    const record: DrillRecord = {
      ...run.record,
      ...(run.record.phase === 'over' ? {} : { phase: 'over', phaseSince: now }),
      finishedAt: run.record.finishedAt ?? now,
    };
    run.record = record;
    try {
      await liftAll(run);
    } catch (error) {
      logger.error({ drill: record.id, err: String(error) }, 'the orders of a drill are not lifted for good');
    }
    await ended(record);
    if (running.get(record.application) === run) running.delete(record.application);
  }

  async function ended(record: DrillRecord): Promise<void> {
    await keep(record);
    tellFinished(record);
  }

  /** What cannot be written is known as long as we live. */
  async function keep(record: DrillRecord): Promise<void> {
    try {
      await records.put(record);
    } catch (error) {
      logger.error({ drill: record.id, err: String(error) }, 'the report of a drill cannot be kept');
    }
  }

  function tellAborted({ id, name, application, platform, why }: DrillRecord): void {
    events.append({ type: 'drill.aborted', drill: id, name, application, platform, why });
  }

  function tellFinished({ id, name, application, platform, outcome, why, evidence }: DrillRecord): void {
    const subject = { drill: id, name, application, platform };
    events.append({
      type: 'drill.finished',
      ...subject,
      outcome: outcome ?? 'interrupted',
      why,
      evidence,
    });
  }

  /** Once there is a table without it, until no worker follows an older one. */
  function askWorkers(run: Running, { decision }: Insight): void {
    if (run.isAway || run.asksWorkers || (decision.shares[run.record.platform] ?? 0) > 0) return;
    run.asksWorkers = true;
    void deps.applied(engine.table.version, MARGIN_MS).then((isApplied) => {
      run.asksWorkers = false;
      run.isAway = isApplied;
      if (isApplied && running.get(run.record.application) === run) turn(run);
    });
  }

  function lookForDeployments(): void {
    for (const run of running.values()) {
      underWay(run.record.application).then(
        (id) => {
          run.deployment = id;
        },
        (error: unknown) => logger.warn({ err: String(error) }, 'the deployments cannot be read'),
      );
    }
  }

  function arm(): void {
    for (const dispose of armed) dispose();
    armed = armDrills(Object.values(settings.applications), { begin, schedule: deps.schedule, logger });
  }

  return {
    name: 'drills',
    drill: begin,
    async drills() {
      const live = new Map([...running.values()].map(({ record }) => [record.id, record]));
      return records.all().map((record) => live.get(record.id) ?? record);
    },
    hear({ application, p95Ms }) {
      const run = running.get(application);
      if (run !== undefined) run.slowestMs = Math.max(run.slowestMs, p95Ms);
    },
    rearm: arm,
    lastDrill(application, platform) {
      const configured = settings.applications[application];
      if (configured === undefined || configured.targets.length < 2) return undefined;
      const own = (configured.drills ?? []).filter((one) => one.platform === platform);
      const staleAfterMs =
        own.length === 0 ? DEFAULT_STALE_AFTER_MS : Math.min(...own.map((one) => one.staleAfterMs));
      return standingOf(records.all(), { application, platform, staleAfterMs }, clock.now());
    },
    async start() {
      await records.load();
      await giveBack(records.all(), { settings, acts, clock, ended });
      arm();
      timers = [
        clock.every(LOOK_EVERY_MS, () => {
          for (const run of running.values()) turn(run);
        }),
        clock.every(DEPLOYMENTS_EVERY_MS, lookForDeployments),
        events.onEvent((event) => {
          if (event.type !== 'deployment.started') return;
          const run = running.get(event.application);
          if (run !== undefined) run.deployment = event.deployment;
        }),
      ];
    },
    async close() {
      for (const dispose of [...timers, ...armed]) dispose();
      timers = [];
      armed = [];
      // One that is over is on its way out already.
      for (const run of [...running.values()].filter(({ record }) => record.phase !== 'over')) {
        const { record } = run;
        const why = [...record.why, 'the gateway was stopped'];
        run.record = { ...record, outcome: record.outcome ?? 'interrupted', why };
        run.busy = true;
        await end(run);
      }
    },
  };
}
