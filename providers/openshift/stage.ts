import { hasClass, platformError, SluiceError, toWire } from '../../src/core/errors.ts';
import { imageDigest } from '../../src/core/image.ts';
import type {
  Bundle,
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import { artifactOf, buildError, buildsOf, describeBuild, isStuck, noImage } from './builds.ts';
import { buildConfig, imageStream } from './manifests.ts';
import { checkName } from './names.ts';
import { lacking } from './needs.ts';
import { BUILD_CONFIG, BUILD_RUN, IMAGE_STREAM, SERVICE_ACCOUNT } from './resources.ts';
import { applyOwned, heldKinds, type Site } from './site.ts';
import { handleOf } from './status.ts';
import { buildNumber, buildPhase } from './translate.ts';
import { upload } from './upload.ts';
import type { Build } from './wire.ts';

const ACCOUNT_WAIT_MS = 30_000;
const ACCOUNT_EVERY_MS = 500;
/** From "complete" until the registry shows the image. */
const IMAGE_WAIT_MS = 60_000;
const TAIL_LINES = 20;

export async function stage(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  bundle: Bundle | undefined,
): Promise<Operation> {
  const { signal } = context;
  const { application, release } = want;
  checkName(site.platform, application);
  const lack = lacking(site, want);
  if (lack) throw lack;
  const held = await heldKinds(site, application, signal);
  if (bundle === undefined) return prebuilt(site, context, want);

  function handleFor(build: Build): OperationHandle {
    return handleOf(site, context, application, 'stage', { build: build.metadata.name, release: release.id });
  }

  // Builds of this release's BuildConfig are this release's, whoever began them: a crash after submitting loses nothing.
  const builds = await buildsOf(site, application, release.id, signal);
  for (const build of builds.filter((b) => buildPhase(b) === 'complete').reverse()) {
    const artifact = await artifactOf(site, application, release.id, build, signal);
    if (artifact) return { handle: handleFor(build), done: { state: 'succeeded', artifact } };
  }
  const ongoing = builds.findLast(
    (build) => buildPhase(build) === 'queued' || buildPhase(build) === 'running',
  );
  if (ongoing) return { handle: handleFor(ongoing) };

  await site.client.apply(IMAGE_STREAM, imageStream(application), held.has(IMAGE_STREAM.kind), signal);
  await applyOwned(site, BUILD_CONFIG, buildConfig(want, site.options.builder), application, signal);
  await builderAccount(site, signal);
  const newest = builds.at(-1);
  const build = await upload(site, context, want, await bundle.tarGz(), newest ? buildNumber(newest) : 0);
  return { handle: handleFor(build) };
}

/** Nothing is built, and the cluster pulls it when it is applied. */
function prebuilt(
  site: Site,
  context: ProviderContext,
  { application, release, image }: TargetSpec,
): Operation {
  if (image === undefined) throw new SluiceError('BUG', 'a release is neither files nor an image');
  const handle = handleOf(site, context, application, 'stage', { release: release.id });
  const artifact = { digest: imageDigest(image), native: { image: image.reference } };
  return { handle, done: { state: 'succeeded', artifact } };
}

/** A new project has no `builder` account for some seconds, and a build begun before that fails at once. */
async function builderAccount(site: Site, signal: AbortSignal): Promise<void> {
  const until = site.clock.monotonic() + ACCOUNT_WAIT_MS;
  for (;;) {
    try {
      if (await site.client.get(SERVICE_ACCOUNT, 'builder', signal)) return;
    } catch (error) {
      // Not everybody may look; then the build will tell.
      if (hasClass(error, 'forbidden')) return;
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
    if (isStuck(build, context.now() - handle.startedAt)) {
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
