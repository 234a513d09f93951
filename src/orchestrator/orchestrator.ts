import type { DeploymentRecord, DeploymentTarget, PlatformPlan } from '../core/deployment.ts';
import { isTerminal } from '../core/deployment.ts';
import { SluiceError, toWire } from '../core/errors.ts';
import type { ApplicationName, DeploymentId, PlatformName, ReleaseId } from '../core/ids.ts';
import type { Clock, EventLog, Logger, StateStore } from '../core/ports.ts';
import type { Bundle, PlatformProvider, ProviderContext } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';
import type { TrafficControl } from '../core/traffic.ts';
import { awaitOperation } from './await-operation.ts';
import type { BundleStore } from './bundle-store.ts';
import type { DeploymentContext, ReleaseProbe } from './context.ts';
import { journalIn } from './journal.ts';
import { type HeldLease, leaseApplication } from './lease.ts';
import { configHashOf, releaseIdOf } from './release-identity.ts';
import { releasesIn } from './releases.ts';
import { rollOut } from './roll-out.ts';
import { targetSpecOf } from './target-spec.ts';

const DESTROY_DEADLINE_MS = 5 * 60_000;

export interface OrchestratorDeps {
  readonly settings: Settings;
  readonly store: StateStore;
  readonly bundles: BundleStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly traffic: TrafficControl;
  readonly probe: ReleaseProbe;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  /** False for platforms where nothing is deployed (`static`). */
  readonly deploysTo: (platform: PlatformName) => boolean;
  readonly uniqueId: () => string;
  /** HMAC key of this installation. */
  readonly hashKey: string;
  /** Who we are in a lease: `sluice deploy (pid 4711 on build-7)`. */
  readonly holder: string;
}

export interface DeployWish {
  readonly application: ApplicationName;
  /** Undefined: all targets of the application. */
  readonly platforms: readonly PlatformName[] | undefined;
  readonly bundle: Bundle;
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
  plan(wish: DeployWish): Promise<readonly PlatformPlan[]>;
  /** What happened on each platform; an error means that something is left there. */
  destroy(
    application: ApplicationName,
    platforms: readonly PlatformName[] | undefined,
  ): Promise<ReadonlyMap<PlatformName, SluiceError | undefined>>;
  releases(application: ApplicationName): Promise<{
    readonly releases: readonly Release[];
    readonly live: Readonly<Record<PlatformName, ReleaseId>>;
  }>;
  deployments(): Promise<readonly DeploymentRecord[]>;
}

/** Observe → plan → apply, on all platforms at once; each platform's failure is its own. */
export function createOrchestrator(deps: OrchestratorDeps): Orchestrator {
  const { settings, store, clock, events, traffic } = deps;
  const journal = journalIn(store);
  const releases = releasesIn(store);

  function applicationNamed(name: ApplicationName): ApplicationSettings {
    const application = settings.applications[name];
    if (application) return application;
    throw new SluiceError('USAGE', `the configuration has no application "${name}"`, {
      remedy: `name one of: ${Object.keys(settings.applications).join(', ')}`,
    });
  }

  function platformsOf(
    application: ApplicationSettings,
    only: readonly PlatformName[] | undefined,
  ): PlatformName[] {
    const all = application.targets.map((target) => target.platform).filter(deps.deploysTo);
    const unknown = only?.find((platform) => !all.includes(platform));
    if (unknown !== undefined) {
      throw new SluiceError('USAGE', `${application.name} is not deployed to "${unknown}"`, {
        remedy: `name one of: ${all.join(', ')}`,
      });
    }
    if (all.length === 0) {
      throw new SluiceError(
        'USAGE',
        `${application.name} has only static targets: there is nothing to deploy`,
        {
          remedy: 'add a target on a platform that runs applications',
        },
      );
    }
    return only === undefined ? all : all.filter((platform) => only.includes(platform));
  }

  function providerFor(platform: PlatformName): PlatformProvider {
    const provider = deps.providers.get(platform);
    if (!provider) throw new SluiceError('BUG', `no provider for ${platform}`);
    return provider;
  }

  function quietContext(): ProviderContext {
    return { signal: new AbortController().signal, now: () => clock.now(), log() {} };
  }

  function releaseOf(application: ApplicationSettings, bundle: Bundle): Omit<Release, 'number'> {
    const configHash = configHashOf(application, deps.hashKey);
    return {
      id: releaseIdOf(application.name, bundle.digest, configHash),
      application: application.name,
      sourceDigest: bundle.digest,
      configHash,
      createdAt: clock.now(),
    };
  }

  async function start(
    record: DeploymentRecord,
    application: ApplicationSettings,
    bundle: Bundle,
    lease: HeldLease,
    stop: AbortSignal,
  ): Promise<StartedDeployment> {
    const { id, release } = record;
    const platforms = Object.keys(record.targets);
    const before = await releases.live(application.name);
    // Until every platform has the new release, both may serve.
    traffic.allowReleases(application.name, [...new Set([release.id, ...Object.values(before)])]);
    events.append({
      type: 'deployment.started',
      deployment: id,
      application: application.name,
      release: release.id,
      number: release.number,
      platforms,
    });
    const context: DeploymentContext = {
      clock,
      logger: deps.logger,
      events,
      journal,
      releases,
      traffic,
      probe: deps.probe,
      provider: providerFor,
      stop,
      mayWrite: lease.valid,
    };
    async function run(): Promise<DeploymentRecord> {
      try {
        const startedAt = clock.now();
        const targets = await Promise.all(
          platforms.map(async (platform): Promise<[PlatformName, DeploymentTarget, number]> => {
            const from = record.targets[platform]!;
            const want = targetSpecOf(application, platform, release);
            if (!want) throw new SluiceError('BUG', `${application.name} has no target on ${platform}`);
            if (from.phase === 'live') return [platform, from, 0];
            const target = await rollOut(context, {
              deployment: id,
              want,
              health: application.health,
              bundle,
              from,
            });
            return [platform, target, clock.now() - startedAt];
          }),
        );
        const outcome = outcomeOf(targets.map(([, target]) => target));
        // A platform that failed goes on with what it had; that release may serve there still.
        const live = await releases.live(application.name);
        traffic.allowReleases(application.name, [...new Set([release.id, ...Object.values(live)])]);
        const finished = await journal.finish(id, outcome, clock.now());
        events.append({
          type: 'deployment.finished',
          deployment: id,
          application: application.name,
          release: release.id,
          outcome,
          elapsedMs: clock.now() - startedAt,
          seconds: Object.fromEntries(targets.map(([platform, , ms]) => [platform, ms / 1000])),
        });
        return finished;
      } finally {
        await lease.release();
      }
    }
    return { id, release, finished: run() };
  }

  async function leaseFor(application: ApplicationName, reason: string): Promise<HeldLease> {
    const holder = { id: deps.holder, reason, since: clock.now() };
    // Two acts of one process are two holders.
    return await leaseApplication(store, clock, application, {
      ...holder,
      id: `${deps.holder} #${deps.uniqueId()}`,
    });
  }

  return {
    async deploy(wish, stop) {
      const application = applicationNamed(wish.application);
      const platforms = platformsOf(application, wish.platforms);
      const bundle = await deps.bundles.keep(await wish.bundle.tarGz(), wish.bundle.digest);
      const lease = await leaseFor(application.name, `deploying to ${platforms.join(', ')}`);
      try {
        const release = await releases.record(releaseOf(application, bundle));
        const startedAt = clock.now();
        const record: DeploymentRecord = {
          id: `d-${deps.uniqueId()}`,
          application: application.name,
          release,
          startedAt,
          targets: Object.fromEntries(
            platforms.map((platform) => [platform, { phase: 'queued', startedAt }]),
          ),
        };
        await journal.begin(record);
        return await start(record, application, bundle, lease, stop);
      } catch (error) {
        await lease.release();
        throw error;
      }
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
      const application = applicationNamed(record.application);
      const bundle = await deps.bundles.find(record.release.sourceDigest);
      if (!bundle || releaseOf(application, bundle).id !== record.release.id) {
        throw new SluiceError(
          'USAGE',
          `${id} cannot go on: ${bundle ? 'the configuration changed since' : 'its bundle is gone'}`,
          {
            remedy: 'start anew: sluice deploy',
          },
        );
      }
      const lease = await leaseFor(application.name, `resuming ${id}`);
      try {
        for (const [platform, target] of Object.entries(record.targets)) {
          if (target.phase === 'failed') await journal.target(id, platform, freshStart(target, clock.now()));
        }
        return await start((await journal.get(id))!, application, bundle, lease, stop);
      } catch (error) {
        await lease.release();
        throw error;
      }
    },

    async plan(wish) {
      const application = applicationNamed(wish.application);
      const identity = releaseOf(application, wish.bundle);
      const known = await releases.list(application.name);
      const release = known.find((one) => one.id === identity.id) ?? {
        ...identity,
        number: (known.at(-1)?.number ?? 0) + 1,
      };
      return await Promise.all(
        platformsOf(application, wish.platforms).map(async (platform): Promise<PlatformPlan> => {
          try {
            const provider = providerFor(platform);
            const context = quietContext();
            const seen = await provider.observe(context, application.name);
            const want = targetSpecOf(application, platform, release)!;
            return { platform, changes: await provider.plan(context, want, seen) };
          } catch (caught) {
            return { platform, changes: [], error: toWire(SluiceError.from(caught)) };
          }
        }),
      );
    },

    async destroy(name, only) {
      const application = applicationNamed(name);
      const platforms = platformsOf(application, only);
      const lease = await leaseFor(name, `destroying on ${platforms.join(', ')}`);
      const results = new Map<PlatformName, SluiceError | undefined>();
      try {
        await Promise.all(
          platforms.map(async (platform) => {
            try {
              const provider = providerFor(platform);
              const context = quietContext();
              await awaitOperation(await provider.destroy(context, name), {
                clock,
                provider,
                context,
                deadlineMs: DESTROY_DEADLINE_MS,
                store: async () => {},
                onProgress() {},
              });
              await releases.setLive(name, platform, undefined);
              results.set(platform, undefined);
            } catch (caught) {
              results.set(platform, SluiceError.from(caught));
            }
          }),
        );
      } finally {
        await lease.release();
      }
      return results;
    },

    async releases(application) {
      return { releases: await releases.list(application), live: await releases.live(application) };
    },
    deployments: () => journal.list(),
  };
}

/** A failed target is tried from the start; what is on the platform already is found again by its stamps. */
function freshStart(target: DeploymentTarget, now: number): DeploymentTarget {
  return {
    phase: 'queued',
    startedAt: now,
    ...(target.previous === undefined ? {} : { previous: target.previous }),
  };
}

function outcomeOf(targets: readonly DeploymentTarget[]): NonNullable<DeploymentRecord['outcome']> {
  if (targets.some((target) => target.phase === 'stopped')) return 'stopped';
  const live = targets.filter((target) => target.phase === 'live').length;
  if (live === targets.length) return 'done';
  return live === 0 ? 'failed' : 'partly';
}

/** Deployments that a process left unfinished when it ended. */
export function unfinished(records: readonly DeploymentRecord[]): readonly DeploymentRecord[] {
  return records.filter((record) =>
    Object.values(record.targets).some((target) => !isTerminal(target.phase)),
  );
}
