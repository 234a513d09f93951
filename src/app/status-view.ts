import type { OperatorAct } from '../core/acts.ts';
import type { DriftStatus } from '../core/drift.ts';
import type { DrillStanding } from '../core/drill.ts';
import { TELLING_EVENTS } from '../core/events.ts';
import type { EventLog } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import type {
  ApplicationStatus,
  ConfigurationStatus,
  PlatformStatus,
  PromotionStatus,
  ScalingStatus,
  StatusView,
  WritesStatus,
} from '../core/status.ts';
import type { Engine } from '../engine/engine.ts';
import { withStopped } from '../lib/stopped-status.ts';
import type { DriftWatch } from '../orchestrator/drift-watch.ts';
import type { IntentExecutor } from '../orchestrator/intents.ts';
import type { Placer } from '../orchestrator/placer.ts';
import type { DrillRunner } from './drills.ts';
import type { ReleaseNames } from './release-names.ts';
import { SLUICE_VERSION } from './version.ts';
import type { WorkerLink } from './worker-link.ts';

const RECENT = 50;

export function statusView(of: {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly link: WorkerLink;
  readonly events: EventLog;
  readonly names: ReleaseNames;
  readonly executor: Pick<IntentExecutor, 'scaling' | 'promotion'>;
  readonly drills: Pick<DrillRunner, 'lastDrill'>;
  readonly drift: Pick<DriftWatch, 'status'>;
  readonly placer: Pick<Placer, 'status'>;
  readonly acts?: readonly OperatorAct[];
  readonly configuration: ConfigurationStatus;
  readonly now: number;
}): StatusView {
  const { settings, engine, link, events, names, executor, drills, drift, placer } = of;
  const applications: ApplicationStatus[] = [];
  for (const name of Object.keys(settings.applications)) {
    const status = engine.statusOf(name);
    if (!status) continue;
    const release = names.newestLive(name);
    applications.push({
      ...status,
      release: release && { id: release.id, number: release.number },
      platforms: status.platforms.map((platform) =>
        withProcesses(
          withDrift(
            withDrill(
              withScaling(
                numbered(withStopped(platform, name, of.acts ?? []), name, names),
                executor.scaling(name, platform.name),
              ),
              drills.lastDrill(name, platform.name),
            ),
            drift.status(name, platform.name),
          ),
          placer.status(name, platform.name),
        ),
      ),
      ...withPromotion(status.writes, executor.promotion(name)),
    });
  }
  return {
    at: of.now,
    version: SLUICE_VERSION,
    tableVersion: engine.table.version,
    workers: { wanted: settings.gateway.workers, ready: link.ready },
    applications,
    configuration: of.configuration,
    recent: events
      .since(0)
      .filter((event) => TELLING_EVENTS.has(event.type))
      .slice(-RECENT),
  };
}

function withDrill(platform: PlatformStatus, drill: DrillStanding | undefined): PlatformStatus {
  return drill === undefined ? platform : { ...platform, drill };
}

function withProcesses(platform: PlatformStatus, processes: PlatformStatus['processes']): PlatformStatus {
  const isAny = processes !== undefined && Object.keys(processes).length > 0;
  return isAny ? { ...platform, processes } : platform;
}

function withDrift(platform: PlatformStatus, drift: DriftStatus | undefined): PlatformStatus {
  return drift === undefined ? platform : { ...platform, drift };
}

function withScaling(platform: PlatformStatus, scaling: ScalingStatus | undefined): PlatformStatus {
  return scaling === undefined ? platform : { ...platform, scaling };
}

function withPromotion(
  writes: WritesStatus | undefined,
  promotion: PromotionStatus | undefined,
): { readonly writes?: WritesStatus } {
  return writes?.kind !== 'single' || promotion === undefined ? {} : { writes: { ...writes, promotion } };
}

function numbered(platform: PlatformStatus, application: string, names: ReleaseNames): PlatformStatus {
  const { release, trial } = platform;
  return {
    ...platform,
    release: release && withNumber(release, application, names),
    ...(trial === undefined
      ? {}
      : { trial: { ...trial, release: withNumber(trial.release, application, names) } }),
  };
}

function withNumber<T extends { readonly id: string }>(
  release: T,
  application: string,
  names: ReleaseNames,
): T & { readonly number?: number } {
  const number = names.numberOf(application, release.id);
  return number === undefined ? release : { ...release, number };
}
