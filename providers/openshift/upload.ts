import { hasClass } from '../../src/core/errors.ts';
import { type ProviderContext, RETRYABLE, type TargetSpec } from '../../src/core/provider.ts';
import { buildsOf, describeBuild, isCutOff, isStuck } from './builds.ts';
import { buildConfigName } from './names.ts';
import { BUILD_RUN } from './resources.ts';
import type { Site } from './site.ts';
import { buildNumber, buildPhase } from './translate.ts';
import type { Build } from './wire.ts';

const WATCH_EVERY_MS = 1_000;
const UPLOAD_ATTEMPTS = 4;
/** How long after a broken connection the platform may take to cancel the build that read from it. */
const BREAK_WAIT_MS = 2_000;
const BREAK_EVERY_MS = 200;

/**
 * Uploads the source. The server answers only when the build has read it all, so a second pair of eyes watches the
 * build meanwhile: one that failed or cannot begin would keep the upload waiting for minutes.
 */
export async function upload(
  site: Site,
  context: ProviderContext,
  want: TargetSpec,
  source: Buffer,
  after: number,
): Promise<Build> {
  let seen = after;
  for (let attempt = 1; ; attempt++) {
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const name = buildConfigName(want.application, want.release.id);
    const sent = site.client.instantiateBinary(name, source, signal);
    const watch = hopelessBuild(site, context, want, seen, signal);
    try {
      return await Promise.race([sent, watch]);
    } catch (error) {
      if (context.signal.aborted) throw error;
      const passing = hasClass(error, ...RETRYABLE);
      // The answer was lost or was a refusal; a build that was made all the same is ours, and `poll` tells its fate.
      const begun = await newestAfter(site, want, seen, context.signal);
      const broken = begun && passing && (await breaksOff(site, begun, context.signal));
      if (begun && !(broken && attempt < UPLOAD_ATTEMPTS)) return begun;
      if (!passing || attempt >= UPLOAD_ATTEMPTS) throw error;
      if (begun) seen = buildNumber(begun);
      const text = `the upload broke off (${error.details.why ?? error.message}); sending it again`;
      context.log({ at: context.now(), source: 'platform', text });
      await site.clock.sleep(error.details.retryAfterMs ?? attempt * 500, context.signal);
    } finally {
      stop.abort();
      await Promise.allSettled([sent, watch]);
    }
  }
}

/**
 * Did the build end because its source never arrived whole? The platform notices a connection that broke a moment after
 * we do. A build that goes on has read everything: only its answer was lost.
 */
async function breaksOff(site: Site, build: Build, signal: AbortSignal): Promise<boolean> {
  const until = site.clock.monotonic() + BREAK_WAIT_MS;
  for (;;) {
    const now = await site.client.get(BUILD_RUN, build.metadata.name, signal);
    if (!now || isCutOff(now)) return true;
    if (buildPhase(now) !== 'queued' && buildPhase(now) !== 'running') return false;
    if (site.clock.monotonic() >= until) return false;
    await site.clock.sleep(BREAK_EVERY_MS, signal);
  }
}

/** Resolves when nothing good can come of the build any more. */
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
    if (buildPhase(build) === 'failed' || isStuck(build, site.clock.monotonic() - since)) return build;
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
