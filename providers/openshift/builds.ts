import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { StagedArtifact } from '../../src/core/provider.ts';
import { imageTag } from './manifests.ts';
import { buildConfigName } from './names.ts';
import { BUILD_RUN, IMAGE_STREAM_TAG } from './resources.ts';
import type { Site } from './site.ts';
import { buildNumber, buildPhase } from './translate.ts';
import type { Build } from './wire.ts';

const STUCK_MS = 60_000;

/** Oldest first. */
export async function buildsOf(
  site: Site,
  application: string,
  release: string,
  signal: AbortSignal,
): Promise<readonly Build[]> {
  const label = `openshift.io/build-config.name=${buildConfigName(application, release)}`;
  const builds = await site.client.list(BUILD_RUN, label, signal);
  return [...builds].sort((a, b) => buildNumber(a) - buildNumber(b));
}

/** A build that is new and already says why it cannot begin is stuck, not slow. */
export function isStuck(build: Build, waitedMs: number): boolean {
  return buildPhase(build) === 'queued' && build.status.reason !== undefined && waitedMs > STUCK_MS;
}

/** It ended because its source did not arrive whole. */
export function isCutOff(build: Build): boolean {
  return build.status.phase === 'Cancelled' || build.status.reason === 'FetchSourceFailed';
}

/** By digest: a tag may mean something else tomorrow. */
export async function artifactOf(
  site: Site,
  application: string,
  release: string,
  build: Build,
  signal: AbortSignal,
): Promise<StagedArtifact | undefined> {
  const native = { build: build.metadata.name };
  const digest = build.status.output.to?.imageDigest;
  const pushed = build.status.outputDockerImageReference;
  if (digest !== undefined && pushed !== undefined) {
    return { digest, native: { ...native, image: `${withoutTag(pushed)}@${digest}` } };
  }
  const tag = await site.client.get(IMAGE_STREAM_TAG, imageTag(application, release), signal);
  const image = tag?.image.dockerImageReference;
  if (tag === undefined || image === undefined) return undefined;
  return { digest: tag.image.metadata.name, native: { ...native, image } };
}

/** `registry:5000/shop/app:r-1` → `registry:5000/shop/app`. */
export function withoutTag(reference: string): string {
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}

export function describeBuild(build: Build): string {
  const { phase, reason } = build.status;
  const words: Record<string, string> = { New: 'queued', Pending: 'waiting for a node', Running: 'running' };
  const because = reason === undefined ? '' : ` (${reason})`;
  return `build ${build.metadata.name} is ${words[phase] ?? phase.toLowerCase()}${because}`;
}

export function buildError(site: Site, build: Build, logTail: readonly string[]): SluiceError {
  const { phase, reason, message } = build.status;
  const why = [reason ?? phase, message].filter(Boolean).join(': ');
  const what =
    buildPhase(build) === 'queued' ? 'cannot begin' : phase === 'Cancelled' ? 'was cancelled' : 'failed';
  return platformError('buildFailed', site.platform, `build ${build.metadata.name} ${what}`, {
    why,
    remedy: REMEDIES[reason ?? phase] ?? `read its log: \`oc logs build/${build.metadata.name}\``,
    ...(logTail.length === 0 ? {} : { logTail }),
  });
}

/** By the build's reason, or by its phase where it gives none. */
const REMEDIES: Readonly<Record<string, string>> = {
  AssembleFailed: 'the build’s own commands failed: read the log, and try them on your machine',
  GenericBuildFailed: 'the build’s own commands failed: read the log, and try them on your machine',
  FetchSourceFailed: 'the upload did not reach the build: try again',
  PullBuilderImageFailed: 'check `builder` of this platform: the cluster cannot pull that image',
  PushImageToRegistryFailed:
    'is the cluster’s image registry up, and may the service account `builder` push?',
  OutOfMemoryKilled: 'the build needs more memory than builds are given there: ask for a higher limit',
  BuildPodEvicted: 'the node ran out of space or memory: try again',
  CannotCreateBuildPod: 'read the reason: most often a quota is used up or pods are refused',
  InvalidOutputReference: 'the image stream is missing: try again',
  Cancelled:
    'somebody cancelled it, or the upload broke off: whatever stands before the API must bear five silent minutes',
};

export function noImage(site: Site, build: Build): SluiceError {
  return platformError('buildFailed', site.platform, `build ${build.metadata.name} left no image`, {
    why: 'it is complete, but neither it nor its image stream tag names a digest',
    remedy: 'is the cluster’s image registry up? `oc get imagestreams` shows what was pushed',
  });
}
