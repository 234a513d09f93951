import type { DeploySettings } from '../core/deploy-settings.ts';
import type { DeploymentOutcome, DeploymentRecord, Together } from '../core/deployment.ts';
import { platformError, SluiceError, toWire } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { ObservedOrigin } from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import type { DeploymentContext } from './context.ts';
import { ENDED } from './lending.ts';
import { createParty, NobodyLeft, type Party, Refused } from './party.ts';
import type { ReleaseTasks } from './release-tasks.ts';
import { takeBack, takeBackOn } from './take-back.ts';
import { Stopped, type TargetJob, type TargetRun, targetRun } from './target-run.ts';
import {
  checkNotFrozen,
  cutOver,
  endTrialOf,
  notePrevious,
  putInPlace,
  retireOthers,
  stage,
  verify,
} from './target-steps.ts';
import { isUnchanged } from './unchanged.ts';
import { clearance, type Progress, watchStep } from './watch.ts';

/** What the old release did just before it had to share. */
const BEFORE_MS = 60_000;
const BEGINNING: Together = { stage: 'preparing', step: 0, part: 0 };

/** Does this deployment move all platforms in step, or each at its own pace? */
export function goesTogether({ kind, deploy }: Pick<DeploymentRecord, 'kind' | 'deploy'>): boolean {
  if (deploy === undefined || kind === 'rollback') return false;
  return deploy.strategy !== 'rolling' || deploy.onTargetFailure.kind !== 'continue';
}

/** How many instances of a trial carry this part of what all instances carry. */
export function trialSize(part: number, instances: number): number {
  return Math.max(1, Math.ceil(part * instances));
}

/**
 * One release onto all platforms in step: staged everywhere → tasks, once for all → tried everywhere, beside what serves → for each step its
 * part of the traffic, watched by the gates → in place everywhere → trials ended, the old one retired. Nobody goes on
 * before all can; what serves is not touched before the last step is passed. Where it fails, clients go back first.
 */
export async function moveTogether(
  context: DeploymentContext,
  record: DeploymentRecord,
  deploy: DeploySettings,
  parts: MoveParts,
): Promise<DeploymentOutcome> {
  const { jobOf } = parts;
  const move = createMove(context, record, deploy, parts);
  try {
    const { stage: stood, why } = record.together ?? BEGINNING;
    if (stood === 'takingBack' && why !== undefined) return await takeBack(context, record, jobOf, why);
    if (stood === 'promoting') move.leaveThoseDone();
    else {
      await move.prepare();
      await move.runTasks();
    }
    if (stood !== 'promoting') for (const step of await move.stepsToGo()) await move.take(step);
    await move.promote();
    await move.conclude();
  } catch (caught) {
    if (caught instanceof Stopped) await move.stop();
    else if (caught instanceof NobodyLeft) await move.endSplit();
    // Whoever has the lease now decides.
    else if (!context.mayWrite()) throw caught;
    else return await takeBack(context, record, jobOf, toWire(reasonOf(caught)));
  }
  return await move.outcome();
}

/** Also what nobody thought of must not leave clients on two releases. */
function reasonOf(caught: unknown): SluiceError {
  return caught instanceof Refused ? caught.reason : SluiceError.from(caught);
}

export interface MoveParts {
  readonly jobOf: (platform: PlatformName) => Promise<TargetJob>;
  readonly health: HealthSettings;
  readonly tasks: ReleaseTasks | undefined;
}

interface Move {
  /** Those that have all of it already are done; the others get their files. */
  prepare(): Promise<void>;
  /** What must be done once before anybody meets the release. */
  runTasks(): Promise<void>;
  leaveThoseDone(): void;
  stepsToGo(): Promise<readonly number[]>;
  take(step: number): Promise<void>;
  promote(): Promise<void>;
  conclude(): Promise<void>;
  /** Clients meet what is in place, and nothing else. */
  endSplit(): Promise<void>;
  /** As asked: everything stays where it is, and can be resumed. */
  stop(): Promise<void>;
  outcome(): Promise<DeploymentOutcome>;
}

function createMove(
  context: DeploymentContext,
  record: DeploymentRecord,
  deploy: DeploySettings,
  { jobOf, health, tasks }: MoveParts,
): Move {
  const { clock, events, journal, traffic } = context;
  const { id: deployment, application, release } = record;
  const party: Party = createParty(context, record, deploy, {
    jobOf,
    async onDropped(platform) {
      await takeBackOn(context, await jobOf(platform));
    },
  });
  const origins = new Map<PlatformName, readonly ObservedOrigin[]>();
  let together = record.together ?? BEGINNING;
  let trying: readonly PlatformName[] = [];

  async function note(change: Partial<Together>): Promise<void> {
    together = { ...together, ...change };
    await journal.together(deployment, together);
  }
  const targets = async () => ((await journal.get(deployment)) ?? record).targets;
  const progress = (step: number): Progress => ({
    ...{ record, deploy, step, origins, together, health },
  });

  async function endSplit(): Promise<void> {
    if (together.part === 0) return;
    await traffic.split(application, release.id, 0);
    await note({ part: 0 });
  }

  /** Starts it beside what serves, or makes it as large as this step wants it. */
  async function tryOn(run: TargetRun, step: number): Promise<void> {
    const { want } = run.job;
    const power = run.provider.trial;
    if (power === undefined) throw new SluiceError('BUG', `${want.platform} cannot try a release`);
    const artifact = await stage(run);
    run.checkpoint();
    const { instances: all } = want.process;
    const instances = trialSize(deploy.steps[step] ?? 1, all);
    await run.enter('trying', `${instances} of ${all} instances beside ${run.target.previous}`, {
      trial: true,
    });
    await run.perform({
      kind: 'trial',
      key: `trial:${step}`,
      deadlineMs: (want.health.startTimeoutMs + 30_000) * 2,
      begin: (_provider, given) =>
        power.start(given, { ...want, process: { ...want.process, instances } }, artifact),
    });
    origins.set(want.platform, await verify(run, true));
  }

  async function withdrawPrevious({ target, job }: TargetRun): Promise<void> {
    const { previous } = target;
    if (previous !== undefined && previous !== release.id)
      await traffic.withdraw(application, job.want.platform, previous);
  }

  function tellWhoWaits(platform: PlatformName, why: string): void {
    const message = `${platform} takes the release in place after the others: ${why}`;
    events.append({ type: 'deployment.waiting', deployment, application, platforms: [], message });
  }

  return {
    async prepare() {
      await party.everywhere(party.platforms, async (run) => {
        const { platform } = run.job.want;
        try {
          if (run.target.phase === 'live') return party.leave(platform);
          checkNotFrozen(run);
          if (await isUnchanged(run)) {
            await cutOver(run);
            await retireOthers(run);
            await run.end('live', {});
            return party.leave(platform);
          }
          await notePrevious(run);
          await stage(run);
        } finally {
          run.job.lending?.tell(platform, { why: ENDED });
        }
      });
    },

    async runTasks() {
      if (tasks === undefined || party.platforms.length === 0) return;
      for (const platform of Object.keys(record.targets))
        if (!party.platforms.includes(platform)) tasks.out(platform);
      await Promise.all(
        party.platforms.map(async (platform) => tasks.staged(targetRun(context, await jobOf(platform)))),
      );
    },

    leaveThoseDone() {
      for (const [platform, { phase }] of Object.entries(record.targets))
        if (phase === 'live') party.leave(platform);
    },

    /** Only where one runs already can another be tried, and only where two can run side by side. */
    async stepsToGo() {
      const now = await targets();
      const served = party.platforms.filter((platform) => now[platform]?.previous !== undefined);
      if (deploy.strategy === 'rolling' || served.length === 0) return [];
      const whyNot = (platform: PlatformName): string | undefined => {
        if (!served.includes(platform)) return 'nothing serves there yet';
        if (context.provider(platform).trial === undefined) return 'it cannot run two releases side by side';
        return now[platform]?.inPlace ? 'a deployment that broke off began with that there' : undefined;
      };
      trying = party.platforms.filter((platform) => whyNot(platform) === undefined);
      if (served.every((platform) => context.provider(platform).trial === undefined))
        throw new Refused(nobodyCanTry(served, deploy));
      for (const platform of party.platforms) {
        const why = whyNot(platform);
        if (why !== undefined) tellWhoWaits(platform, why);
      }
      if (trying.length === 0) return [];
      return deploy.steps.map((_part, step) => step).slice(together.step);
    },

    async take(step) {
      const part = deploy.steps[step] ?? 1;
      const still = party.platforms.filter((platform) => trying.includes(platform));
      // All that tried have dropped out, and the rule lets the others go on.
      if (still.length === 0) return;
      await party.everywhere(still, (run) => tryOn(run, step), deploy.barrierMs);
      await clearance(context, progress(step));
      const now = clock.now();
      const before = together.before ?? traffic.outcomes(application, now - BEFORE_MS);
      // Written first: whoever goes on after us must know that clients may have met it.
      await note({ stage: 'trying', step, part, before, skewSince: together.skewSince ?? now });
      await traffic.split(application, release.id, part);
      const of = deploy.steps.length;
      const told = { deployment, application, release: release.id, step: step + 1, of, part };
      events.append({ type: 'deployment.step', ...told });
      await note({ stepSince: clock.now() });
      await watchStep(context, progress(step));
      await note({ step: step + 1 });
    },

    async promote() {
      if (party.platforms.length === 0) return;
      if (together.stage !== 'promoting') {
        await clearance(context, progress(deploy.steps.length));
        await note({ stage: 'promoting', skewSince: together.skewSince ?? clock.now() });
      }
      const endsAt = (together.skewSince ?? clock.now()) + deploy.maxSkewMs;
      await party.everywhere(party.platforms, async (run) => {
        if (run.target.phase !== 'ready') await putInPlace(run, await stage(run), endsAt - clock.now());
        await cutOver(run);
      });
    },

    /** All have it in place: the trials have done their work, and so has the old release. */
    async conclude() {
      // First: what trials have carried must not meet the old release again.
      await party.everywhere(party.platforms, withdrawPrevious);
      await endSplit();
      await party.everywhere(party.platforms, async (run) => {
        if (run.target.trial) await endTrialOf(run, release.id);
        await retireOthers(run);
        await run.end('live', {});
      });
    },

    endSplit,

    async stop() {
      for (const platform of party.platforms)
        await targetRun(context, await jobOf(platform)).end('stopped', {});
    },

    async outcome() {
      const phases = Object.values(await targets()).map(({ phase }) => phase);
      if (phases.includes('stopped')) return 'stopped';
      if (phases.every((phase) => phase === 'live')) return 'done';
      return phases.includes('live') ? 'partly' : 'failed';
    },
  };
}

function nobodyCanTry(platforms: readonly PlatformName[], { strategy }: DeploySettings): SluiceError {
  return platformError('unsupported', platforms.join(', '), `no platform can take part in a ${strategy}`, {
    why: 'none of them can run two releases side by side',
    remedy: 'set `deploy.strategy: rolling`',
  });
}
