import type { TargetEvidence, Verdict } from '../core/verdict.ts';

/** Below this many requests nothing is said about latency or errors. */
const MIN_ATTEMPTS = 20;
/** Who was too slow is well again only when it is clearly faster, and has been for a while: half of the traffic was
 * taken away meanwhile, which alone makes anybody faster. */
const WELL_BELOW = 0.8;
const STAYS_MS = 30_000;

/** Why a target that answers is worse than the policy wants; undefined: it is not. */
export function impairment(
  { deep, traffic, limits }: TargetEvidence,
  before: Verdict | undefined,
  now: number,
): string | undefined {
  if (deep?.ok === false) return `its deep probe fails: ${deep.detail}`;
  if (limits === undefined) return undefined;
  const was = before?.impaired;
  const factor = was === undefined ? 1 : WELL_BELOW;
  if (traffic !== undefined && traffic.attempts >= MIN_ATTEMPTS) {
    const { p95Ms = Number.POSITIVE_INFINITY, errorRatio = 1 } = limits;
    if (traffic.p95Ms > p95Ms * factor) {
      return `p95 ${Math.round(traffic.p95Ms)} ms, ${Math.round(p95Ms)} ms wanted`;
    }
    if (traffic.failed / traffic.attempts > errorRatio * factor) {
      return `${traffic.failed} of ${traffic.attempts} requests failed in the last 10 s`;
    }
  }
  return was !== undefined && now - was.since < STAYS_MS ? was.cause : undefined;
}
