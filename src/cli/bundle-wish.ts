import type { WireWish } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { bundleFolder } from '../orchestrator/bundle.ts';
import { configurationDigest } from '../orchestrator/configuration-digest.ts';

/** The application's source as it lies there, packed, and what the person's file says of it. */
export async function bundleWish(
  application: ApplicationSettings,
  platforms: readonly string[] | undefined,
): Promise<WireWish> {
  if (!application.source) {
    throw new SluiceError('USAGE', `${application.name} has no source: there is nothing to deploy`, {
      where: `applications.${application.name}`,
      remedy: 'add `source:`, or leave deploying to whoever runs the static origins',
    });
  }
  const bundle = await bundleFolder(application.source.path);
  return {
    application: application.name,
    platforms,
    archive: await bundle.tarGz(),
    digest: bundle.digest,
    configuration: configurationDigest(application),
  };
}
