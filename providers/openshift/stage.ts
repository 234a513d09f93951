import { hasClass, platformError } from '../../src/core/errors.ts';
import {
  type Bundle,
  type Operation,
  type OperationHandle,
  type ProviderContext,
  RETRYABLE,
  type TargetSpec,
} from '../../src/core/provider.ts';
import { artifactOf, buildsOf, describeBuild, STUCK_MS } from './builds.ts';
import { buildConfig, imageStream } from './manifests.ts';
import { buildConfigName, checkName } from './names.ts';
import { BUILD_CONFIG, IMAGE_STREAM, SERVICE_ACCOUNT } from './resources.ts';
import { applyOwned, heldKinds, type Site } from './site.ts';
import { handleOf } from './status.ts';
import { buildNumber, buildPhase } from './translate.ts';
import type { Build } from './wire.ts';

const ACCOUNT_WAIT_MS = 30_000;
const ACCOUNT_EVERY_MS = 500;
const WATCH_EVERY_MS = 1_000;
const SUBMIT_ATTEMPTS = 4;

export async function stage(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  bundle: Bundle,
): Promise<Operation> {
  const { signal } = context;
  const { application, release } = want;
  checkName(site.platform, application);
  const held = await heldKinds(site, application, signal);

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
  const build = await submit(site, context, want, await bundle.tarGz(), newest ? buildNumber(newest) : 0);
  return { handle: handleFor(build) };
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
      if (!hasClass(error, ...RETRYABLE) || attempt >= SUBMIT_ATTEMPTS) throw error;
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
