import { autoscale } from '../../policies/autoscale.ts';
import type { LoadFacts, LoadMemory } from '../core/autoscale.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Dispose, Logger, Runnable } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import type { PlatformStatus } from '../core/status.ts';
import type { Engine } from '../engine/engine.ts';
import { lastDue } from '../lib/cron-window.ts';
import type { IntentExecutor } from '../orchestrator/intents.ts';
import { type ResizeDeps, resize } from '../orchestrator/resize.ts';
import { configuredOn, keepSize, type Size, sizeOn } from '../orchestrator/sizes.ts';

const LOOK_EVERY_MS = 10_000;

export interface AutoscalingDeps extends ResizeDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly engine: Pick<Engine, 'statusOf' | 'decision'>;
  readonly executor: Pick<IntentExecutor, 'scaling' | 'scaledTo'>;
  readonly logger: Logger;
  /** Why nothing automatic may be written there now. */
  readonly forbidden: (application: string, platform: PlatformName) => string | undefined;
  /** By the wall clock. */
  readonly schedule: (cron: string, run: () => void, logger: Logger, timeZone: string) => Dispose;
}

export interface Autoscaling extends Runnable {
  /** The configuration changed. */
  rearm(): void;
}

type Wanted = Pick<Size, 'instances' | 'by' | 'reason'>;

/**
 * Sizes by the clock and by load, and the end of those that were said for a while. The lowest of all who scale: a person's order stands until the next time of the schedule,
 * a failover's growth until it is over, and what is forbidden to automation is not done.
 */
export function createAutoscaling(deps: AutoscalingDeps): Autoscaling {
  const { settings, clock, records, logger, engine } = deps;
  const memories = new Map<string, LoadMemory>();
  const working = new Set<string>();
  /** Said once, however often it is tried. */
  const said = new Map<string, string>();
  let disposers: Dispose[] = [];

  function wantedOn(application: ApplicationSettings, platform: PlatformStatus): Wanted | undefined {
    const { autoscale: rules, targets } = application;
    if (rules === undefined) return undefined;
    const now = clock.now();
    const due = rules.schedule
      .filter(({ on }) => on === undefined || on.includes(platform.name))
      .map((entry) => ({
        ...entry,
        at: lastDue(entry.cron, entry.timeZone, now) ?? Number.NEGATIVE_INFINITY,
      }))
      .reduce<ScheduledAt | undefined>(
        (last, one) => (last === undefined || one.at > last.at ? one : last),
        undefined,
      );
    const scheduled = due === undefined || due.at === Number.NEGATIVE_INFINITY ? undefined : due;
    const before = sizeOn(records.known(application.name), application, platform.name, now);
    if (before?.by === 'hand' && !(scheduled !== undefined && scheduled.at > before.at)) return undefined;
    if (rules.load === undefined) {
      if (scheduled === undefined) return undefined;
      return { instances: scheduled.instances, by: 'schedule', reason: `scheduled: ${scheduled.cron}` };
    }
    const most = targets.find((target) => target.platform === platform.name)?.maxInstances;
    const max = Math.min(rules.load.max, most ?? rules.load.max);
    const min = Math.min(max, Math.max(rules.load.min, scheduled?.instances ?? 0));
    const key = `${application.name} ${platform.name}`;
    const answer = autoscale({ ...rules.load, min, max }, factsOf(platform), memories.get(key) ?? [], now);
    memories.set(key, answer.memory);
    if (answer.instances === undefined) return undefined;
    return { instances: answer.instances, by: 'load', reason: answer.reason };
  }

  /** Somebody else, who stands above, is at work there. */
  function isTaken(application: string, platform: PlatformName): boolean {
    const intents = engine.decision(application)?.intents ?? [];
    return (
      deps.executor.scaling(application, platform) !== undefined ||
      deps.executor.scaledTo(application, platform) !== undefined ||
      intents.some((one) => one.kind === 'scale' && one.platform === platform) ||
      deps.forbidden(application, platform) !== undefined
    );
  }

  async function look(application: ApplicationSettings, platform: PlatformStatus): Promise<void> {
    const provider = deps.providers.get(platform.name);
    if (provider === undefined || platform.instances === undefined || platform.instances.desired === 0)
      return;
    if (isTaken(application.name, platform.name)) return;
    const wanted = wantedOn(application, platform);
    const configured = configuredOn(application, platform.name);
    if (wanted === undefined) {
      if (isOver(application, platform.name)) await giveBack(application, provider, configured);
      return;
    }
    const keep = () =>
      keepSize(records, application.name, platform.name, { ...wanted, configured, at: clock.now() });
    const before = sizeOn(records.known(application.name), application, platform.name, clock.now());
    if (wanted.instances === platform.instances.desired) {
      if (before?.instances !== wanted.instances || before.by !== wanted.by) await keep();
      return;
    }
    const { done } = await resize(deps, {
      application,
      provider,
      to: wanted.instances,
      reason: wanted.reason,
      keep,
    });
    await done;
  }

  /** Said for a while that has passed, or by rules that are not there any more. */
  function isOver({ name, autoscale: rules }: ApplicationSettings, platform: PlatformName): boolean {
    const size = records.known(name).sizes[platform];
    if (size === undefined) return false;
    if (size.until !== undefined && size.until <= clock.now()) return true;
    return size.by !== 'hand' && rules === undefined;
  }

  async function giveBack(
    application: ApplicationSettings,
    provider: PlatformProvider,
    to: number,
  ): Promise<void> {
    const keep = () => keepSize(records, application.name, provider.platform, undefined);
    const { done } = await resize(deps, { application, provider, to, reason: 'as configured again', keep });
    await done;
  }

  async function lookOnce(application: ApplicationSettings, platform: PlatformStatus): Promise<void> {
    const key = `${application.name} ${platform.name}`;
    if (working.has(key)) return;
    working.add(key);
    try {
      await look(application, platform);
      said.delete(key);
    } catch (caught) {
      const error = SluiceError.from(caught);
      // A deployment goes first; it is over in a moment.
      if (error.code !== 'LOCK_HELD' && said.get(key) !== error.code) {
        said.set(key, error.code);
        const [name, to] = [application.name, platform.instances?.desired ?? 0];
        deps.events.append({
          type: 'scale.waiting',
          application: name,
          platform: platform.name,
          to,
          error: toWire(error),
        });
        if (error.code === 'BUG') logger.error({ err: error.details.cause }, error.message);
      }
    } finally {
      working.delete(key);
    }
  }

  function lookAtAll(): void {
    for (const application of Object.values(settings.applications)) {
      const isScaled = Object.keys(records.known(application.name).sizes).length > 0;
      if (application.autoscale === undefined && !isScaled) continue;
      for (const platform of engine.statusOf(application.name)?.platforms ?? [])
        void lookOnce(application, platform);
    }
  }

  function disarm(): void {
    for (const dispose of disposers.splice(0)) dispose();
  }

  function rearm(): void {
    disarm();
    const rules = Object.values(settings.applications).flatMap(({ autoscale: of }) =>
      of === undefined ? [] : [of],
    );
    disposers = [
      clock.every(LOOK_EVERY_MS, lookAtAll),
      ...rules.flatMap(({ schedule }) =>
        schedule.map(({ cron, timeZone }) => deps.schedule(cron, lookAtAll, logger, timeZone)),
      ),
    ];
  }

  return {
    name: 'autoscaling',
    rearm,
    async start() {
      rearm();
    },
    async close() {
      disarm();
    },
  };
}

type ScheduledAt = { readonly at: number; readonly instances: number; readonly cron: string };

function factsOf({ instances, rps, p95Ms, usage }: PlatformStatus): LoadFacts {
  const { running = 0, desired = 0 } = instances ?? {};
  return { running, desired, rps, p95Ms, cpu: usage?.cpu };
}
