import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { ProviderContext } from '../core/provider.ts';
import type { ApplicationSettings, Settings } from '../core/settings.ts';

/** The application a person named; USAGE with the names there are otherwise. */
export function applicationNamed(
  settings: Pick<Settings, 'applications'>,
  name: ApplicationName,
): ApplicationSettings {
  const application = Object.hasOwn(settings.applications, name) ? settings.applications[name] : undefined;
  if (application) return application;
  throw new SluiceError('USAGE', `the configuration has no application "${name}"`, {
    remedy: `name one of: ${Object.keys(settings.applications).join(', ')}`,
  });
}

/** Where it is deployed, or the part of that which a person named. */
export function platformsOf(
  application: ApplicationSettings,
  only: readonly PlatformName[] | undefined,
  deploysTo: (platform: PlatformName) => boolean,
): readonly PlatformName[] {
  const all = application.targets.map((target) => target.platform).filter(deploysTo);
  if (all.length === 0) {
    throw new SluiceError(
      'USAGE',
      `${application.name} has only static targets: there is nothing to deploy`,
      {
        remedy: 'add a target on a platform that runs applications',
      },
    );
  }
  const unknown = only?.find((platform) => !all.includes(platform));
  if (unknown !== undefined) {
    throw new SluiceError('USAGE', `${application.name} is not deployed to "${unknown}"`, {
      remedy: `name one of: ${all.join(', ')}`,
    });
  }
  return only === undefined ? all : all.filter((platform) => only.includes(platform));
}

/** For reads and acts that nobody watches line by line. */
export function quietContext(now: () => number): ProviderContext {
  return { signal: new AbortController().signal, now, log() {} };
}
