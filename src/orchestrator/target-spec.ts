import type { PlatformName } from '../core/ids.ts';
import type { OtherProcessSpec, TargetSpec } from '../core/provider.ts';
import type { Release } from '../core/release.ts';
import { releaseLabel } from '../core/release.ts';
import type { ApplicationSettings, OtherProcess } from '../core/settings.ts';
import { programCommand } from './program.ts';

/** What shall run on one platform: the application's settings with the target's own on top. */
export function targetSpecOf(
  application: ApplicationSettings,
  platform: PlatformName,
  release: Release,
  /** What a person, a schedule, its load or a failover has made of it. */
  scaledTo?: number,
): TargetSpec | undefined {
  const target = application.targets.find((candidate) => candidate.platform === platform);
  if (!target) return undefined;
  const { process } = application;
  const command = (target.command ?? process.command) || (programCommand(release) ?? '');
  const memoryBytes = target.memoryBytes ?? process.memoryBytes;
  return {
    application: application.name,
    platform,
    release,
    ...(application.image === undefined ? {} : { image: application.image }),
    ...(application.processes === undefined ? {} : { processes: application.processes.map(specOf) }),
    process: { command, memoryBytes, instances: scaledTo ?? target.instances },
    ...servicesOn(application, platform),
    env: {
      ...application.env,
      ...target.env,
      SLUICE_APPLICATION: application.name,
      SLUICE_PLATFORM: platform,
      SLUICE_RELEASE: release.id,
      SLUICE_RELEASE_LABEL: releaseLabel(release),
    },
    health: { path: application.health.path, startTimeoutMs: application.startTimeoutMs },
    hosts: application.routes
      .filter((route) => route.publicHost === 'map' && route.host !== '*')
      .map((route) => route.host),
  };
}

/** Where it follows traffic a deployment leaves it as it is: started twice by mistake, some work would be done twice. */
function specOf({ name, command, memoryBytes, runOn, instances }: OtherProcess): OtherProcessSpec {
  return { name, command, memoryBytes, instances: runOn === 'all' ? instances : undefined };
}

export function servicesOn(
  { services = [] }: ApplicationSettings,
  platform: PlatformName,
): Pick<TargetSpec, 'services'> {
  const here = services.flatMap(({ name, on }) => {
    const source = on[platform];
    return source === undefined ? [] : [{ name, source }];
  });
  return here.length === 0 ? {} : { services: here };
}
