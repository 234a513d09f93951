import type { WireWish } from '../core/control.ts';
import { SluiceError } from '../core/errors.ts';
import { imageDigest } from '../core/image.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { configurationDigest } from '../orchestrator/configuration-digest.ts';
import { packSource } from '../orchestrator/source.ts';

/** The application's source as it lies there, packed, and what the person's file says of it. */
export async function bundleWish(
  application: ApplicationSettings,
  platforms: readonly string[] | undefined,
): Promise<WireWish> {
  return {
    application: application.name,
    platforms,
    ...(await packed(application)),
    configuration: configurationDigest(application),
  };
}

async function packed({
  name,
  source,
  image,
}: ApplicationSettings): Promise<Pick<WireWish, 'archive' | 'digest' | 'commit'>> {
  if (image !== undefined) return { archive: undefined, digest: imageDigest(image) };
  if (source === undefined) {
    throw new SluiceError('USAGE', `${name} has no source: there is nothing to deploy`, {
      where: `applications.${name}`,
      remedy: 'add `source:` or `image:`, or leave deploying to whoever runs the static origins',
    });
  }
  return packSource(source);
}
