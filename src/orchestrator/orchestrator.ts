import type { DestroyWish, RollbackWish } from '../core/control.ts';
import type { DeploymentRecord, PlatformPlan } from '../core/deployment.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, DeploymentId, PlatformName, ReleaseId } from '../core/ids.ts';
import { imageDigest } from '../core/image.ts';
import type { Bundle, PlatformProvider } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { noTraffic } from '../core/traffic.ts';
import { refuseWhatWouldFail } from './checks.ts';
import { configurationDigest } from './configuration-digest.ts';
import type { DeploymentContext, Restored } from './context.ts';
import type { OrchestratorDeps } from './deps.ts';
import { type DestroyedTarget, destroyOn } from './destroy.ts';
import { checkNotInFreeze } from './freeze-windows.ts';
import { journalIn } from './journal.ts';
import { keepConfiguration } from './kept-configuration.ts';
import { keptRelease } from './kept-release.ts';
import { type HeldLease, holderOf, leaseApplication } from './lease.ts';
import { migrationOf } from './migration.ts';
import { planOn } from './plan.ts';
import { programOf } from './program.ts';
import { freshStart, recordAfter } from './record-after.ts';
import { configHashOf, releaseIdOf } from './release-identity.ts';
import { releasesIn } from './releases.ts';
import { checkMigrations, rollbackTarget } from './rollback-target.ts';
import { runDeployment } from './run-deployment.ts';
import { applicationNamed, platformsOf } from './scope.ts';
import { targetSpecOf } from './target-spec.ts';
import { withTasks } from './task-plan.ts';
import { taskRecordsIn } from './task-records.ts';
import { createTaskRuns, type TaskRuns } from './task-runs.ts';
import { tidy } from './tidy.ts';

export interface DeployWish {
  readonly application: ApplicationName;
  /** Undefined: all targets of the application. */
  readonly platforms: readonly PlatformName[] | undefined;
  /** Undefined: the application is an image. */
  readonly bundle: Bundle | undefined;
  /** The commit it is of. */
  readonly commit?: string;
}

export interface StartedDeployment {
  readonly id: DeploymentId;
  readonly release: Release;
  readonly finished: Promise<DeploymentRecord>;
}

export interface Orchestrator {
  /** Resolves once the release is recorded and the lease is held; the work goes on in `finished`. */
  deploy(wish: DeployWish, stop: AbortSignal): Promise<StartedDeployment>;
  resume(id: DeploymentId, stop: AbortSignal): Promise<StartedDeployment>;
  /** Brings a kept release back, each platform as well as it can; what was configured then comes with it. */
  rollback(wish: RollbackWish, stop: AbortSignal): Promise<StartedDeployment>;
  /** Ends a deployment that cannot go on, so that nobody waits for it. */
  abandon(id: DeploymentId): Promise<void>;
  plan(wish: DeployWish): Promise<readonly PlatformPlan[]>;
  /** What happened on each platform; an error means that something is left there. */
  destroy(wish: DestroyWish): Promise<ReadonlyMap<PlatformName, DestroyedTarget>>;
  releases(application: ApplicationName): Promise<{
    readonly releases: readonly Release[];
    readonly live: Readonly<Record<PlatformName, ReleaseId>>;
  }>;
  deployments(): Promise<readonly DeploymentRecord[]>;
  /** Commands that run once beside deployments. */
  readonly runs: TaskRuns;
}

/** Observe → plan → apply, on all platforms at once, by one holder of the application's lease at a time. */
export function createOrchestrator(deps: OrchestratorDeps): Orchestrator {
  const { settings, store, bundles, clock } = deps;
  const journal = journalIn(store);
  const releases = releasesIn(store);

  function scopeOf(wish: { application: ApplicationName; platforms: readonly PlatformName[] | undefined }) {
    const application = applicationNamed(settings, wish.application);
    return { application, platforms: platformsOf(application, wish.platforms, deps.deploysTo) };
  }

  function releaseOf(
    application: ApplicationSettings,
    sourceDigest: string,
    from: Pick<DeployWish, 'bundle' | 'commit'> = { bundle: undefined },
  ): Omit<Release, 'number'> {
    const configHash = configHashOf(application, deps.hashKey);
    const id = releaseIdOf(application.name, sourceDigest, configHash);
    const program = programOf(from.bundle);
    const more = {
      ...(application.image === undefined ? {} : { image: application.image.reference }),
      ...(program === undefined ? {} : { program }),
      ...(from.commit === undefined ? {} : { commit: from.commit }),
    };
    const identity = { id, application: application.name, sourceDigest, configHash, ...more };
    return { ...identity, createdAt: clock.now(), ...migrationOf(application) };
  }

  /** As it would be recorded now. */
  async function upcoming(identity: Omit<Release, 'number'>): Promise<Release> {
    const known = await releases.list(identity.application);
    const next = { ...identity, number: (known.at(-1)?.number ?? 0) + 1 };
    return known.find((one) => one.id === identity.id) ?? next;
  }

  /** Runs `work` under the lease; what it leaves running must keep the lease by itself. */
  async function leased<T>(
    application: ApplicationName,
    reason: string,
    work: (lease: HeldLease) => Promise<T>,
  ): Promise<T> {
    const lease = await leaseApplication(store, clock, application, holderOf(deps, reason, clock.now()));
    try {
      return await work(lease);
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  function begin(
    record: DeploymentRecord,
    application: ApplicationSettings,
    bundle: Bundle | undefined,
    lease: HeldLease,
    stop: AbortSignal,
  ): StartedDeployment {
    const { logger, events, traffic, probe } = deps;
    const context: DeploymentContext = {
      ...{ clock, logger, events, journal, releases, store, traffic, probe, stop },
      ...powersOf(deps),
      provider: providerFor,
      mayWrite: lease.valid,
      confirmLease: () => lease.confirm(),
      restore,
    };
    async function run(): Promise<DeploymentRecord> {
      try {
        const finished = await runDeployment(context, record, application, bundle);
        await tidy(application.name, { bundles, releases, journal }).catch((error: unknown) =>
          logger.warn({ error: String(error) }, 'old bundles and deployments could not be removed'),
        );
        return finished;
      } catch (error) {
        await giveUp(record, 'failed');
        throw error;
      } finally {
        await lease.release();
      }
    }
    const finished = run();
    return { id: record.id, release: record.release, finished };
  }

  const kept = {
    ...{ releases, bundles, hashKey: deps.hashKey },
    present: (name: ApplicationName) => applicationNamed(settings, name),
  };

  async function restore(name: ApplicationName, id: ReleaseId, platform: PlatformName): Promise<Restored> {
    const { release, application, bundle, notes } = await keptRelease(kept, name, id);
    const want = targetSpecOf(application, platform, release, deps.scaledTo?.(name, platform));
    if (!want) throw new SluiceError('BUG', `${name} has no target on ${platform}`);
    return { application, want, bundle, health: application.health, notes };
  }

  /** Whoever follows it must see an end, also when the journal can no longer be written. */
  async function giveUp(record: DeploymentRecord, outcome: 'failed' | 'stopped'): Promise<void> {
    deps.events.append({
      type: 'deployment.finished',
      deployment: record.id,
      application: record.application,
      release: record.release.id,
      outcome,
      elapsedMs: clock.now() - record.startedAt,
      seconds: {},
    });
    await journal
      .finish(record.id, outcome, clock.now())
      .catch((error: unknown) =>
        deps.logger.error({ error: String(error) }, 'the journal cannot be written'),
      );
  }

  /** Under the lease nobody else is at work: a deployment without an end will not get one by itself. */
  async function closeBrokenOff(application: ApplicationName): Promise<void> {
    for (const record of await journal.list()) {
      if (record.application !== application) continue;
      // Clients may still meet its release: whatever comes now, they leave it first.
      if ((record.together?.part ?? 0) > 0) {
        await deps.traffic.split(application, record.release.id, 0);
        await journal.together(record.id, { ...record.together!, part: 0 });
      }
      if (record.outcome === undefined) await giveUp(record, 'stopped');
    }
  }

  async function newRecord(
    release: Release,
    platforms: readonly PlatformName[],
    more: Pick<DeploymentRecord, 'kind' | 'deploy' | 'configuration'>,
  ): Promise<DeploymentRecord> {
    const last = (await journal.list()).findLast((one) => one.application === release.application);
    const base = { id: `d-${deps.uniqueId()}`, release, startedAt: clock.now(), by: deps.by, ...more };
    return recordAfter(last, base, platforms);
  }

  function tellNote({ id, targets }: DeploymentRecord, text: string): void {
    for (const platform of Object.keys(targets))
      deps.events.append({ type: 'deployment.log', deployment: id, platform, source: 'platform', text });
  }

  /** Only the gateway can give a release a part of the traffic. The very first release has nobody to share it with. */
  async function checkGateway({ name, deploy }: ApplicationSettings): Promise<void> {
    if (deps.traffic !== noTraffic || deploy === undefined || deploy.strategy === 'rolling') return;
    if (Object.keys(await releases.live(name)).length === 0) return;
    throw new SluiceError('USAGE', `a ${deploy.strategy} needs a running \`sluice serve\``, {
      where: `applications.${name}.deploy`,
      why: 'its gateway gives the new release its part of the traffic, and sees how it does',
      remedy: 'start it and deploy through it, or set `strategy: rolling`',
    });
  }

  /** A release of now is deployed as it is configured now, one that is brought back as it was configured then. */
  async function whatToResume({ id, kind, application: name, release }: DeploymentRecord) {
    if (kind === 'rollback') return await keptRelease(kept, name, release.id);
    const application = applicationNamed(settings, name);
    const bundle = release.image === undefined ? await bundles.find(release.sourceDigest) : undefined;
    const there = release.image !== undefined || bundle !== undefined;
    if (there && releaseOf(application, release.sourceDigest).id === release.id)
      return { application, bundle };
    const why = there ? 'the configuration changed since' : 'its bundle is gone';
    throw new SluiceError('USAGE', `${id} cannot go on: ${why}`, { remedy: 'start anew: sluice deploy' });
  }

  function providerFor(platform: PlatformName): PlatformProvider {
    const provider = deps.providers.get(platform);
    if (!provider) throw new SluiceError('BUG', `no provider for ${platform}`);
    return provider;
  }

  return {
    async deploy(wish, stop) {
      const { application, platforms } = scopeOf(wish);
      const digest = sourceDigestOf(application, wish.bundle);
      checkNotInFreeze(application, clock.now());
      await checkGateway(application);
      // A copy of our own: edits of the source must not reach a deployment under way.
      const bundle =
        wish.bundle &&
        ((await bundles.find(digest)) ?? (await bundles.keep(await wish.bundle.tarGz(), digest)));
      return leased(application.name, `deploying to ${platforms.join(', ')}`, async (lease) => {
        const identity = releaseOf(application, digest, wish);
        await refuseWhatWouldFail(deps, application, platforms, await upcoming(identity));
        const release = await releases.record(identity, keepConfiguration(application, deps.hashKey));
        const { deploy } = application;
        const configuration = configurationDigest(application);
        const how = deploy === undefined ? {} : { deploy };
        const record = await newRecord(release, platforms, { configuration, ...how });
        await closeBrokenOff(application.name);
        await journal.begin(record);
        return begin(record, application, bundle, lease, stop);
      });
    },

    async resume(id, stop) {
      const record = await journal.get(id);
      if (!record) {
        throw new SluiceError('USAGE', `there is no deployment ${id}`, {
          remedy: 'list them: sluice deployments',
        });
      }
      if (record.outcome === 'done') {
        throw new SluiceError('USAGE', `${id} is done; there is nothing to resume`, {
          remedy: 'deploy again to check that it still holds',
        });
      }
      if (record.outcome === 'rolledBack') {
        throw new SluiceError('USAGE', `${id} was taken back; there is nothing to resume`, {
          remedy: 'mend what it failed for, and deploy again',
        });
      }
      const { application, bundle } = await whatToResume(record);
      return leased(application.name, `resuming ${id}`, async (lease) => {
        await journal.reopen(id);
        for (const [platform, target] of Object.entries(record.targets)) {
          if (target.phase === 'failed') await journal.replace(id, platform, freshStart(target, clock.now()));
        }
        // One that failed as a whole begins again with its first step.
        if (record.outcome === 'failed' && record.together !== undefined)
          await journal.together(id, { stage: 'preparing', step: 0, part: 0 });
        return begin((await journal.get(id))!, application, bundle, lease, stop);
      });
    },

    async rollback(wish, stop) {
      const { application: present, platforms } = scopeOf(wish);
      return leased(present.name, `rolling back on ${platforms.join(', ')}`, async (lease) => {
        const sight = {
          releases: await releases.list(present.name),
          live: await releases.live(present.name),
          deployments: (await journal.list()).filter((one) => one.application === present.name),
        };
        const to = rollbackTarget(sight, wish.to);
        if (!wish.force) checkMigrations(sight, to);
        const { release, application, bundle, notes } = await keptRelease(kept, present.name, to.id);
        await closeBrokenOff(present.name);
        const record = await newRecord(release, platforms, {
          kind: 'rollback',
          configuration: configurationDigest(application),
        });
        await journal.begin(record);
        for (const text of notes) tellNote(record, text);
        return begin(record, application, bundle, lease, stop);
      });
    },

    async abandon(id) {
      const record = await journal.get(id);
      if (record && record.outcome === undefined) await giveUp(record, 'stopped');
    },

    async plan(wish) {
      const { application, platforms } = scopeOf(wish);
      const release = await upcoming(releaseOf(application, sourceDigestOf(application, wish.bundle), wish));
      const plans = await planOn(deps, application, platforms, release);
      return withTasks(taskRecordsIn(store), application, release, plans);
    },

    async destroy(wish) {
      const { platforms } = scopeOf(wish);
      return leased(wish.application, `destroying on ${platforms.join(', ')}`, async (lease) => {
        const results = await destroyOn(deps, releases, wish, platforms);
        await lease.release();
        return results;
      });
    },

    async releases(application) {
      return { releases: await releases.list(application), live: await releases.live(application) };
    },
    deployments: () => journal.list(),
    runs: createTaskRuns({ ...deps, liveOf: releases.live, restore, providerFor }),
  };
}

/** An image is its own digest; both sides must mean the same kind of source. */
function sourceDigestOf({ name, image }: ApplicationSettings, bundle: Bundle | undefined): string {
  if (image !== undefined && bundle === undefined) return imageDigest(image);
  if (image === undefined && bundle !== undefined) return bundle.digest;
  throw new SluiceError('USAGE', `${name} is ${image === undefined ? 'files' : 'an image'} here`, {
    where: `applications.${name}`,
    why: `what was sent is ${bundle === undefined ? 'an image' : 'files'}`,
    remedy: 'deploy by the same file that the server has',
  });
}

/** What only a running server knows. */
function powersOf(
  deps: OrchestratorDeps,
): Pick<DeploymentContext, 'frozen' | 'scaledTo' | 'paused' | 'down' | 'started'> {
  const { frozen, scaledTo, paused, down, started } = deps;
  return {
    ...(frozen === undefined ? {} : { frozen }),
    ...(scaledTo === undefined ? {} : { scaledTo }),
    ...(paused === undefined ? {} : { paused }),
    ...(down === undefined ? {} : { down }),
    ...(started === undefined ? {} : { started }),
  };
}
