import type { DeploySettings } from '../core/deploy-settings.ts';
import type { DeploymentRecord } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { DeploymentContext } from './context.ts';
import { Stopped, type TargetJob, type TargetRun, targetRun } from './target-run.ts';

/** Something that ends the whole: the release is taken back for this reason. */
export class Refused extends Error {
  readonly reason: SluiceError;
  constructor(reason: SluiceError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** Others decided that it is over; this platform did nothing wrong. */
class Enough extends Error {}

export interface Party {
  /** Those that are still in. */
  readonly platforms: readonly PlatformName[];
  /** This platform is through. */
  leave(platform: PlatformName): void;
  /**
   * Does one thing on each of these at once and waits for all: the barrier. Who fails drops out, or ends the whole, as
   * `onTargetFailure` says. With `waitMs` the ready ones wait no longer than that for the others, from the first on.
   */
  everywhere(
    platforms: readonly PlatformName[],
    work: (run: TargetRun) => Promise<void>,
    waitMs?: number,
  ): Promise<void>;
}

export interface PartyParts {
  readonly jobOf: (platform: PlatformName) => Promise<TargetJob>;
  /** It failed and the others go on: clears up after it. */
  readonly onDropped: (platform: PlatformName) => Promise<void>;
}

/** The platforms that go on together. */
export function createParty(
  context: DeploymentContext,
  record: DeploymentRecord,
  deploy: DeploySettings,
  { jobOf, onDropped }: PartyParts,
): Party {
  const { clock, events } = context;
  const inParty = new Set(Object.keys(record.targets));
  const all = inParty.size;
  const dropped: PlatformName[] = [];

  /** Is it over when this one fails too? */
  function mustEnd(): boolean {
    const rule = deploy.onTargetFailure;
    if (rule.kind === 'abort-all') return true;
    return rule.kind === 'quorum' && all - dropped.length < rule.of;
  }

  return {
    get platforms() {
      return [...inParty];
    },
    leave: (platform) => void inParty.delete(platform),
    async everywhere(platforms, work, waitMs) {
      const waitedFor = new Set(platforms);
      const runs = new Map<PlatformName, TargetRun>();
      const ended: { by?: Stopped | Refused | SluiceError } = {};
      let stopTimer = (): void => undefined;
      let timing = false;

      function abortAll(why: Error): void {
        for (const platform of waitedFor) runs.get(platform)?.abort(why);
      }
      function isReady(platform: PlatformName): void {
        waitedFor.delete(platform);
        if (waitedFor.size === 0) return;
        const message = `${platform} is ready, waiting for ${[...waitedFor].join(', ')}`;
        const { id: deployment, application } = record;
        events.append({
          type: 'deployment.waiting',
          ...{ deployment, application, message },
          platforms: [...waitedFor],
        });
        if (waitMs === undefined || timing) return;
        timing = true;
        stopTimer = clock.after(waitMs, () => {
          for (const late of waitedFor) runs.get(late)?.abort(tooLate(late, waitMs));
        });
      }
      async function failed(run: TargetRun, caught: unknown): Promise<void> {
        const { platform } = run.job.want;
        waitedFor.delete(platform);
        if (run.providerContext.signal.reason instanceof Enough) return;
        if (caught instanceof Stopped) {
          ended.by ??= caught;
          return;
        }
        const target = await run.endWith(caught);
        // Without the lease nothing may be taken back either: whoever has it decides.
        if (!context.mayWrite()) {
          ended.by ??= SluiceError.from(caught);
          return;
        }
        inParty.delete(platform);
        dropped.push(platform);
        if (!mustEnd()) return await onDropped(platform);
        const { message = 'it failed', why, remedy } = target.error ?? {};
        const code = target.error?.code ?? 'BUG';
        ended.by ??= new Refused(
          new SluiceError(code, message, {
            where: platform,
            ...(why === undefined ? {} : { why }),
            ...(remedy === undefined ? {} : { remedy }),
          }),
        );
        abortAll(new Enough());
      }

      await Promise.all(
        platforms.map(async (platform) => {
          const run = targetRun(context, await jobOf(platform));
          runs.set(platform, run);
          try {
            await run.unlessAborted(work(run));
            isReady(platform);
          } catch (caught) {
            await failed(run, caught);
          }
        }),
      );
      stopTimer();
      if (ended.by) throw ended.by;
      if (inParty.size === 0 && dropped.length > 0) throw new NobodyLeft();
    },
  };
}

/** All have dropped out; each has its own reason. */
export class NobodyLeft extends Error {}

function tooLate(platform: PlatformName, ms: number): SluiceError {
  return new SluiceError('BARRIER_TIMEOUT', `${platform} was not ready in time`, {
    where: platform,
    why: `the others have waited for it for ${Math.round(ms / 1000)} s`,
    remedy: 'look what keeps it; give it more time with `deploy.barrier`',
  });
}
