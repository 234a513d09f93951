import { platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import type {
  Bundle,
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import { RETRYABLE } from '../../src/core/provider.ts';
import { buildConfig, imageStream, imageTag } from './manifests.ts';
import { buildConfigName, checkName } from './names.ts';
import { BUILD_CONFIG, BUILD_RUN, IMAGE_STREAM, IMAGE_STREAM_TAG, SERVICE_ACCOUNT } from './resources.ts';
import { applyOwned, foreignError, foreignThings, type Site } from './site.ts';
import { buildNumber, buildPhase } from './translate.ts';
import type { Build } from './wire.ts';

const ACCOUNT_WAIT_MS = 60_000;
const ACCOUNT_EVERY_MS = 250;
const WATCH_EVERY_MS = 1_000;
const SUBMIT_ATTEMPTS = 4;
/** A build that is new and already says why it cannot begin is stuck, not slow. */
const STUCK_MS = 60_000;
/** From "complete" until the registry shows the image. */
const IMAGE_WAIT_MS = 60_000;
const TAIL_LINES = 20;

export async function stage(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  bundle: Bundle,
): Promise<Operation> {
  const { signal } = context;
  const { application, release } = want;
  checkName(site.platform, application);
  const foreign = await foreignThings(site, application, signal);
  if (foreign.length > 0) throw foreignError(site, foreign);

  // Builds of this release's BuildConfig are this release's, whoever began them: a crash after submitting loses nothing.
  const builds = await buildsOf(site, want.application, release.id, signal);
  for (const build of builds.filter((b) => buildPhase(b) === 'complete').reverse()) {
    const artifact = await artifactOf(site, application, release.id, build, signal);
    if (artifact) return { handle: handleOf(context, want, build), done: { state: 'succeeded', artifact } };
  }
  const ongoing = builds.findLast(
    (build) => buildPhase(build) === 'queued' || buildPhase(build) === 'running',
  );
  if (ongoing) return { handle: handleOf(context, want, ongoing) };

  await applyOwned(site, IMAGE_STREAM, imageStream(application), application, signal);
  await applyOwned(site, BUILD_CONFIG, buildConfig(want, site.options.builder), application, signal);
  await builderAccount(site, signal);
  const newest = builds.at(-1);
  const build = await submit(site, context, want, await bundle.tarGz(), newest ? buildNumber(newest) : 0);
  return { handle: handleOf(context, want, build) };
}

function handleOf(context: ProviderContext, want: TargetSpec, build: Build): OperationHandle {
  return {
    platform: want.platform,
    application: want.application,
    kind: 'stage',
    native: { build: build.metadata.name, release: want.release.id },
    startedAt: context.now(),
  };
}

/** Oldest first. */
async function buildsOf(
  site: Site,
  application: string,
  release: string,
  signal: AbortSignal,
): Promise<readonly Build[]> {
  const label = `openshift.io/build-config.name=${buildConfigName(application, release)}`;
  const builds = await site.client.list(BUILD_RUN, label, signal);
  return [...builds].sort((a, b) => buildNumber(a) - buildNumber(b));
}

/** A new project has no `builder` account for some seconds, and a build begun before that fails at once. */
async function builderAccount(site: Site, signal: AbortSignal): Promise<void> {
  const until = site.clock.monotonic() + ACCOUNT_WAIT_MS;
  for (;;) {
    try {
      if (await site.client.get(SERVICE_ACCOUNT, 'builder', signal)) return;
    } catch (error) {
      // Not everybody may look; then the build will tell.
      if (error instanceof SluiceError && error.class === 'forbidden') return;
      throw error;
    }
    if (site.clock.monotonic() >= until) break;
    await site.clock.sleep(ACCOUNT_EVERY_MS, signal);
  }
  throw platformError('notFound', site.platform, 'the project has no service account `builder`', {
    why: `there was none within ${ACCOUNT_WAIT_MS / 1_000} s, so nothing can be built there`,
    remedy: `is the Build capability of the cluster switched on? \`oc get sa -n ${site.options.namespace}\``,
  });
}

/**
 * Uploads the source. The server answers only when the build has read it all, so a second pair of eyes watches the
 * build meanwhile: one that failed or cannot begin would keep the upload waiting for minutes.
 */
async function submit(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  source: Buffer,
  after: number,
): Promise<Build> {
  for (let attempt = 1; ; attempt++) {
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const name = buildConfigName(want.application, want.release.id);
    const upload = site.client.instantiateBinary(name, source, signal);
    const watch = hopelessBuild(site, context, want, after, signal);
    try {
      return await Promise.race([upload, watch]);
    } catch (error) {
      if (context.signal.aborted) throw error;
      // The answer was lost or was a refusal; a build that was made all the same is ours, and `poll` tells its fate.
      const begun = await newestAfter(site, want, after, context.signal);
      if (begun) return begun;
      const transient =
        error instanceof SluiceError && error.class !== undefined && RETRYABLE.has(error.class);
      if (!transient || attempt >= SUBMIT_ATTEMPTS) throw error;
      await site.clock.sleep(error.details.retryAfterMs ?? attempt * 500, context.signal);
    } finally {
      stop.abort();
      await Promise.allSettled([upload, watch]);
    }
  }
}

async function hopelessBuild(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  after: number,
  signal: AbortSignal,
): Promise<Build> {
  const since = site.clock.monotonic();
  let said = '';
  for (;;) {
    await site.clock.sleep(WATCH_EVERY_MS, signal);
    const build = await newestAfter(site, want, after, signal).catch(() => undefined);
    if (signal.aborted) throw signal.reason;
    if (!build) continue;
    const news = describeBuild(build);
    if (news !== said) context.log({ at: context.now(), source: 'platform', text: news });
    said = news;
    const stuck = buildPhase(build) === 'queued' && build.status.reason !== undefined;
    if (buildPhase(build) === 'failed' || (stuck && site.clock.monotonic() - since > STUCK_MS)) return build;
  }
}

async function newestAfter(
  site: Site,
  want: TargetSpec,
  after: number,
  signal: AbortSignal,
): Promise<Build | undefined> {
  const builds = await buildsOf(site, want.application, want.release.id, signal);
  return builds.findLast((build) => buildNumber(build) > after);
}

export async function pollStage(
  site: Site,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { build: name = '', release = '' } = handle.native;
  const build = await site.client.get(BUILD_RUN, name, context.signal);
  if (!build) return { state: 'lost', message: `build ${name} is gone` };
  const phase = buildPhase(build);
  if (phase === 'queued') {
    const waited = context.now() - handle.startedAt;
    if (build.status.reason !== undefined && waited > STUCK_MS) {
      return { state: 'failed', error: toWire(buildError(site, build, [])) };
    }
    return { state: 'running', message: describeBuild(build), retryAfterMs: 1_000 };
  }

  // The handle remembers how much of the log was shown, so that another process goes on from there.
  const lines = await logOf(site, name, context.signal);
  const shown = Number(handle.native['lines'] ?? 0);
  for (const text of lines.slice(shown)) context.log({ at: context.now(), source: 'build', text });
  const next = { ...handle, native: { ...handle.native, lines: String(Math.max(shown, lines.length)) } };
  const moved = lines.length > shown ? { handle: next } : {};

  if (phase === 'running') {
    return { state: 'running', message: describeBuild(build), retryAfterMs: 1_000, ...moved };
  }
  if (phase === 'failed') {
    return { state: 'failed', error: toWire(buildError(site, build, lines.slice(-TAIL_LINES))) };
  }
  const artifact = await artifactOf(site, handle.application, release, build, context.signal);
  if (artifact) return { state: 'succeeded', artifact, message: `build ${name} is complete` };
  if (context.now() - handle.startedAt < IMAGE_WAIT_MS) {
    return { state: 'running', message: 'waiting for the image to show up in the registry', ...moved };
  }
  return { state: 'failed', error: toWire(noImage(site, build)) };
}

async function logOf(site: Site, name: string, signal: AbortSignal): Promise<readonly string[]> {
  const text = (await site.client.log(BUILD_RUN, name, { nowait: 'true' }, signal)) ?? '';
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** By digest: a tag may mean something else tomorrow. */
async function artifactOf(
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

function describeBuild(build: Build): string {
  const { phase, reason } = build.status;
  const words: Record<string, string> = { New: 'queued', Pending: 'waiting for a node', Running: 'running' };
  const because = reason === undefined ? '' : ` (${reason})`;
  return `build ${build.metadata.name} is ${words[phase] ?? phase.toLowerCase()}${because}`;
}

function buildError(site: Site, build: Build, logTail: readonly string[]): SluiceError {
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

function noImage(site: Site, build: Build): SluiceError {
  return platformError('buildFailed', site.platform, `build ${build.metadata.name} left no image`, {
    why: 'it is complete, but neither it nor its image stream tag names a digest',
    remedy: 'is the cluster’s image registry up? `oc get imagestreams` shows what was pushed',
  });
}
