import { SluiceError } from '../core/errors.ts';
import type { ToSupervisor } from '../core/messages.ts';
import type { Clock, Logger, Random } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { GatewaySettings, Settings } from '../core/settings.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor, WatchedPlatform } from '../health/monitor.ts';
import type { IntentExecutor } from '../orchestrator/intents.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';
import type { LiveSettings } from './live-settings.ts';
import type { LocalControl } from './local-control.ts';
import { renewProviders } from './orchestration.ts';
import type { ReloadDeps } from './reload.ts';
import { gatewayRevision } from './revision.ts';
import type { WorkerLink } from './worker-link.ts';

/** Opening a listener waits for the supervisor, and one worker after the other may be busy. */
const CONFIGURE_MS = 10_000;

export interface Reconfigurable {
  readonly live: LiveSettings;
  readonly engine: Engine;
  readonly monitor: Monitor;
  /** Changed in place. */
  readonly providers: Map<string, PlatformProvider>;
  readonly orchestrator: Orchestrator;
  readonly control: LocalControl;
  readonly executor: Pick<IntentExecutor, 'restore' | 'want'>;
  readonly link: WorkerLink;
  readonly send: (message: ToSupervisor) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The parts of a controller that can become others while it runs. */
export function reconfiguration(
  parts: Reconfigurable,
): Pick<ReloadDeps, 'rehearse' | 'configureWorkers' | 'take'> {
  const { live, engine, monitor, providers, orchestrator, control, executor, link, send, logger } = parts;
  let revision = gatewayRevision(live.settings.gateway);

  return {
    async rehearse(before, next) {
      await checkDeployments(orchestrator, before, next);
      engine.rehearse(Object.values(next.applications), next.platforms);
    },
    async configureWorkers(gateway: GatewaySettings) {
      const wanted = gatewayRevision(gateway);
      if (wanted === revision) return;
      revision = wanted;
      send({ to: 'supervisor', type: 'gateway', revision, settings: gateway });
      await link.configured(revision, CONFIGURE_MS);
    },
    async take(before, next) {
      const over = renewProviders(providers, { before, next }, parts);
      live.take(next);
      const applications = Object.values(next.applications);
      const allowed = new Map<string, readonly string[]>();
      for (const { name } of applications) {
        if (before.applications[name] !== undefined) continue;
        allowed.set(name, [...new Set(Object.values((await orchestrator.releases(name)).live))]);
      }
      await executor.restore([...allowed.keys()]);
      for (const name of Object.keys(before.applications)) {
        if (next.applications[name] === undefined) executor.want(name, []);
      }
      monitor.reconfigure(watchedPlatforms(next, providers));
      engine.reconfigure(applications, next.platforms);
      for (const [name, releases] of allowed) engine.allowReleases(name, releases);
      // A deployment under way may be in the middle of a call.
      void control.settled().then(() => closeAll(over, logger));
    },
  };
}

/** Who is observed, in the order of the file. */
export function watchedPlatforms(
  { applications }: Pick<Settings, 'applications'>,
  providers: ReadonlyMap<string, PlatformProvider>,
): readonly WatchedPlatform[] {
  return Object.values(applications).flatMap(({ name, targets }) =>
    targets.map((target) => ({ application: name, provider: providers.get(target.platform)! })),
  );
}

/** What is being deployed cannot be pulled away from under it. */
async function checkDeployments(orchestrator: Orchestrator, before: Settings, next: Settings): Promise<void> {
  for (const { id, application, targets, outcome } of await orchestrator.deployments()) {
    const was = before.applications[application];
    if (outcome !== undefined || was === undefined) continue;
    const stays = next.applications[application]?.targets.map(({ platform }) => platform) ?? [];
    const missing = Object.keys(targets).find((platform) => !stays.includes(platform));
    if (missing === undefined) continue;
    throw new SluiceError('LOCK_HELD', `${application} cannot leave ${missing} now`, {
      where: next.file ?? 'the command line',
      why: `deployment ${id} is under way there`,
      remedy: 'wait until it has ended, then write the file again or send SIGHUP',
    });
  }
}

async function closeAll(providers: readonly PlatformProvider[], logger: Logger): Promise<void> {
  for (const provider of providers) {
    await provider
      .close()
      .catch((error: unknown) =>
        logger.warn({ platform: provider.platform, err: String(error) }, 'closed badly'),
      );
  }
}
