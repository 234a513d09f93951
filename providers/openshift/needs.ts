import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { TargetSpec } from '../../src/core/provider.ts';
import { INGRESS } from './resources.ts';
import type { Site } from './site.ts';

/** What the application would need and this cluster does not have; undefined: nothing. Pure. */
export function lacking(
  {
    platform,
    options,
    capabilities,
    routing,
  }: Pick<Site, 'platform' | 'options' | 'capabilities' | 'routing'>,
  { application, image }: Pick<TargetSpec, 'application' | 'image'>,
): SluiceError | undefined {
  if (!capabilities.builds && image === undefined) {
    return platformError(
      'unsupported',
      platform,
      `nothing is built on this cluster, and ${application} is no image`,
      {
        why: `${options.api}/apis does not list build.openshift.io and image.openshift.io`,
        remedy: `give applications.${application}.image (REGISTRY/NAME@sha256:…) instead of source, or use a cluster with builds`,
      },
    );
  }
  if (routing.kind === INGRESS.kind && options.routeHost === undefined) {
    return platformError('invalid', platform, 'nobody chooses a host for the application on this cluster', {
      why: 'it has no Routes, and an Ingress names its host itself',
      remedy: `set platforms.${platform}.routeHost, e.g. "{application}.apps.example.com"`,
    });
  }
  return undefined;
}
