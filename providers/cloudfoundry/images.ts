import { hasClass, platformError, type SluiceError, toWire } from '../../src/core/errors.ts';
import { imageDigest } from '../../src/core/image.ts';
import type { PlanCheck, TargetSpec } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { type App, type Droplet, featureFlagSchema } from './wire.ts';

/** Operators switch it on; a foundation that nobody has changed runs buildpacks only. */
const FLAG = 'diego_docker';

type Wanted = Pick<TargetSpec, 'application' | 'image'>;

/** What an application is made with; the platform never changes it afterwards. */
export function lifecycleOf({ image }: Wanted): { readonly lifecycle?: object } {
  return image === undefined ? {} : { lifecycle: { type: 'docker', data: {} } };
}

export function packageOf({ image }: Wanted): object {
  if (image === undefined) return { type: 'bits' };
  const { reference, registry } = image;
  return { type: 'docker', data: { image: reference, ...registry } };
}

/** Files cannot follow an image, nor an image files, in one application of the platform. */
export function refuseOtherLifecycle(platform: string, app: App, want: Wanted): void {
  const error = otherLifecycle(platform, app, want);
  if (error !== undefined) throw error;
}

function otherLifecycle(platform: string, app: App, want: Wanted): SluiceError | undefined {
  const held = app.lifecycle?.type;
  if (held === undefined || (held === 'docker') === (want.image !== undefined)) return undefined;
  const [is, shall] = held === 'docker' ? ['an image', 'files'] : ['files', 'an image'];
  return platformError('unsupported', platform, `${app.name} is ${is} there, and cannot become ${shall}`, {
    why: `Cloud Foundry made it with the lifecycle "${held}", which it never changes`,
    remedy: `give the application another name, or remove it there first: sluice destroy --app ${want.application} --on ${platform}`,
  });
}

/** Known beforehand: the kind of the application that is there, and whether the operator allows images. */
export async function imageChecks(
  session: Session,
  want: Wanted,
  app: App | undefined,
): Promise<readonly PlanCheck[]> {
  const found = app?.lifecycle?.type ?? 'none yet';
  const other = app && otherLifecycle(session.platform, app, want);
  const lifecycle: PlanCheck = {
    what: 'lifecycle of the application',
    found,
    ...(other === undefined ? {} : { error: toWire(other) }),
  };
  if (want.image === undefined) return other === undefined ? [] : [lifecycle];
  return [lifecycle, ...(await flagCheck(session))];
}

async function flagCheck(session: Session): Promise<readonly PlanCheck[]> {
  const what = `feature flag ${FLAG}`;
  try {
    const { enabled } = await session.get(`/v3/feature_flags/${FLAG}`, featureFlagSchema);
    if (enabled) return [{ what, found: 'enabled' }];
    const error = platformError('unsupported', session.platform, 'this foundation runs no container images', {
      why: `its feature flag ${FLAG} is disabled`,
      remedy: `ask the operator for it (cf enable-feature-flag ${FLAG}), or give the application a \`source\``,
    });
    return [{ what, found: 'disabled', error: toWire(error) }];
  } catch (error) {
    // Not everybody may look; then the refusal itself will tell.
    if (hasClass(error, 'forbidden', 'notFound', 'unsupported', 'invalid')) return [];
    throw error;
  }
}

/** Of an image the platform tells no checksum: the reference has it. */
export function imageDigestOf({ image }: Droplet): string | undefined {
  return image?.includes('@') ? imageDigest({ reference: image }) : undefined;
}
