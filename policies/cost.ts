import { type Candidate, type Draft, type Preference, withStep } from './draft.ts';

/** Below this many requests nothing is said about errors. */
const MIN_ATTEMPTS = 20;

/**
 * The cheaper target first, within what the strategy prefers alike, while it holds the objectives; one that misses
 * them comes after all that hold them, whatever it costs.
 */
export function cost(draft: Draft): Draft {
  const settings = draft.policy.cost;
  if (settings === undefined) return draft;
  const byPlatform = new Map(draft.candidates.map((candidate) => [candidate.platform, candidate]));
  const lines: string[] = [];

  function rankOf(candidate: Candidate): number {
    const { platform, facts } = candidate;
    const { p95Ms, attempts, failed } = facts.traffic;
    const { maxP95Ms = Number.POSITIVE_INFINITY, maxErrorRatio = 1 } = settings ?? {};
    const slow = p95Ms > maxP95Ms;
    const failing = attempts >= MIN_ATTEMPTS && failed / attempts > maxErrorRatio;
    if (slow) lines.push(`${platform} misses the objective: p95 ${Math.round(p95Ms)} ms`);
    if (failing) lines.push(`${platform} misses the objective: ${failed} of ${attempts} failed`);
    return (slow || failing ? 1e9 : 0) + (facts.costPerInstanceHour ?? 0);
  }

  const preference = draft.preference.flatMap((group): Preference => {
    const costs = new Map(
      group.map((member) => {
        const candidate = byPlatform.get(member.platform);
        return [member, candidate === undefined ? 0 : rankOf(candidate)];
      }),
    );
    const steps = [...new Set(costs.values())].sort((a, b) => a - b);
    return steps.map((step) => group.filter((member) => costs.get(member) === step));
  });
  for (const group of preference) {
    const names = group.map(({ platform }) => {
      const price = byPlatform.get(platform)?.facts.costPerInstanceHour;
      return price === undefined ? platform : `${platform} ${price}/instance-hour`;
    });
    lines.push(names.join(', '));
  }
  return withStep({ ...draft, preference }, 'strategy', ['the cheaper first', ...lines]);
}
