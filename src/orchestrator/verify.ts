import { SluiceError } from '../core/errors.ts';
import type { ReleaseId } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { Observation, ObservedOrigin } from '../core/provider.ts';
import type { HealthSettings } from '../core/settings.ts';
import type { ReleaseProbe } from './context.ts';

const ASK_AGAIN_MS = 150;
/** Reading a platform costs several calls of its budget; asking the application costs none. */
const OBSERVE_AGAIN_MS = 1_000;

export interface VerifyOptions {
  readonly clock: Clock;
  readonly platform: string;
  readonly release: ReleaseId;
  readonly health: HealthSettings;
  readonly timeoutMs: number;
  /** The release that runs beside the one that serves, and nothing else. */
  readonly trial: boolean;
  readonly observe: () => Promise<Observation>;
  readonly probe: ReleaseProbe;
  readonly signal: AbortSignal;
}

export interface Proof {
  readonly unproven: boolean;
  /** Where it answered. */
  readonly origins: readonly ObservedOrigin[];
}

/**
 * The proof before a platform may take traffic: each of the release's origins answers `rise` times in a row through
 * the platform's own router, and names this release where the health rule says how.
 */
export async function verifyRelease(options: VerifyOptions): Promise<Proof> {
  const { clock, health, release, platform } = options;
  const deadline = clock.now() + options.timeoutMs;
  const inARow = new Map<string, number>();
  let lastDetail = 'no origin yet';
  let wrong: ReleaseId | undefined;
  let origins: readonly ObservedOrigin[] = [];
  let observedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (clock.now() - observedAt >= OBSERVE_AGAIN_MS) {
      origins = originsOfRelease(await options.observe(), release, options.trial);
      observedAt = clock.now();
    }
    for (const origin of origins) {
      const answer = await options.probe({ ...origin, platform }, health);
      const proven = answer.ok && (health.release === undefined || answer.release === release);
      inARow.set(origin.url, proven ? (inARow.get(origin.url) ?? 0) + 1 : 0);
      if (answer.ok && !proven) wrong = answer.release ?? 'no release at all';
      if (!proven) lastDetail = describeAnswer(answer, release);
    }
    const enough = origins.every((origin) => (inARow.get(origin.url) ?? 0) >= health.rise);
    if (origins.length > 0 && enough) return { unproven: health.release === undefined, origins };
    if (clock.now() > deadline) throw notProven(platform, release, wrong, lastDetail, options.timeoutMs);
    await clock.sleep(ASK_AGAIN_MS, options.signal);
  }
}

/** Where an origin is one instance, only the new release's; behind a platform's router, that router. */
function originsOfRelease(
  seen: Observation,
  release: ReleaseId,
  isTrial: boolean,
): readonly ObservedOrigin[] {
  return seen.origins.filter(
    (origin) =>
      (origin.trial === true) === isTrial && (origin.release === undefined || origin.release === release),
  );
}

function describeAnswer(
  answer: { ok: boolean; detail: string; release?: ReleaseId },
  wanted: ReleaseId,
): string {
  if (!answer.ok) return answer.detail;
  return `${answer.release ?? 'no release'} answered instead of ${wanted}`;
}

function notProven(
  platform: string,
  release: ReleaseId,
  wrong: ReleaseId | undefined,
  lastDetail: string,
  timeoutMs: number,
): SluiceError {
  const after = `after ${Math.round(timeoutMs / 1000)} s`;
  if (wrong !== undefined) {
    return new SluiceError('RELEASE_MISMATCH', `${platform} still answers as another release ${after}`, {
      where: platform,
      why: lastDetail,
      remedy: `the application must name its release (SLUICE_RELEASE) where health.release says; ${release} takes no traffic there until it does`,
    });
  }
  return new SluiceError('VERIFY_TIMEOUT', `${platform} did not answer through its own router ${after}`, {
    where: platform,
    why: lastDetail,
    remedy: 'check the route and health.path; the release takes no traffic there until it answers',
  });
}
