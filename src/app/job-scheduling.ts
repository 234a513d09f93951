import { concerns, isInForce, stoppedBy } from '../core/acts.ts';
import type { Dispose, Runnable } from '../core/ports.ts';
import type { schedule } from '../engine/schedule.ts';
import { createJobClock, type JobClock } from '../orchestrator/job-clock.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';
import type { AutomationDeps } from './automation-deps.ts';

/** What was in the way is tried again so often; a time that comes is not waited for. */
const LOOK_EVERY_MS = 10_000;

export interface JobScheduling extends Runnable {
  /** The configuration changed. */
  rearm(): void;
}

interface JobSchedulingDeps extends AutomationDeps {
  readonly orchestrator: Pick<Orchestrator, 'runs' | 'releases'>;
  readonly schedule: typeof schedule;
}

/** Processes that run by the clock, run by this controller. As those that follow traffic, no hold keeps them. */
export function scheduleJobs(deps: JobSchedulingDeps): JobScheduling {
  const { settings, engine, clock, acts, orchestrator, logger } = deps;
  const jobs: JobClock = createJobClock({
    ...deps,
    begin: orchestrator.runs.begin,
    live: async (application) => new Set(Object.keys((await orchestrator.releases(application)).live)),
    active(application) {
      const decision = engine.decision(application);
      if (decision === undefined || decision.mode === 'outage' || decision.mode === 'last-known')
        return undefined;
      return new Set(Object.keys(decision.shares).filter((name) => (decision.shares[name] ?? 0) > 0));
    },
    forbidden(application, platform) {
      if (stoppedBy(acts(), application, platform) !== undefined) return 'it is stopped';
      const fence = acts().find(
        (one) => one.kind === 'fence' && isInForce(one, clock.now()) && concerns(one, application, platform),
      );
      return fence === undefined ? undefined : `${fence.who} ordered fence`;
    },
  });
  let disposers: Dispose[] = [];
  const look = (): void => void jobs.look();

  function disarm(): void {
    for (const dispose of disposers) dispose();
    disposers = [];
  }
  function rearm(): void {
    disarm();
    disposers.push(clock.every(LOOK_EVERY_MS, look));
    for (const { jobs: own = [] } of Object.values(settings.applications)) {
      for (const { cron, timeZone, name } of own) {
        try {
          disposers.push(deps.schedule(cron, look, logger, timeZone));
        } catch (error) {
          // It is looked after every ten seconds all the same.
          logger.error({ job: name, err: String(error) }, 'a job cannot be scheduled to the second');
        }
      }
    }
    look();
  }

  return {
    name: 'jobs by the clock',
    rearm,
    async start() {
      rearm();
    },
    async close() {
      disarm();
      await jobs.close();
    },
  };
}
