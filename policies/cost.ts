import type { PlatformName } from '../src/core/ids.ts';
import type { PolicyState } from '../src/core/policy.ts';
import { type Candidate, type Draft, type Preference, withStep } from './draft.ts';
import { holdDownMs } from './hold-down.ts';

type Missed = NonNullable<PolicyState['missed']>;

/** Below this many requests nothing is said about errors. */
const MIN_ATTEMPTS = 20;
/** Added to the price of one that misses the objectives: it comes after all that hold them. */
const LAST = 1e9;

/**
 * The cheaper target first, within what the strategy prefers alike, while it holds the objectives. One that misses
 * them comes last for as long as a failed platform would wait: without traffic it has no way to show that it is
 * better, and would be tried and left again every few seconds.
 */
export function cost(draft: Draft): Draft {
  if (draft.policy.cost === undefined) return draft;
  const missed: Record<PlatformName, Missed[string]> = {};
  const prices = new Map<PlatformName, number>();
  const lines: string[] = [];
  for (const candidate of draft.candidates) {
    const { platform, facts } = candidate;
    const why = objectiveMissed(draft, candidate);
    const memory = remember(draft, platform, why !== undefined);
    if (memory !== undefined) missed[platform] = memory;
    const last = memory !== undefined && draft.now < memory.until;
    if (last) lines.push(`${platform} comes last: ${why ?? 'it missed the objectives a while ago'}`);
    prices.set(platform, (last ? LAST : 0) + (facts.costPerInstanceHour ?? 0));
  }
  const priceOf = ({ platform }: { readonly platform: PlatformName }) => prices.get(platform) ?? 0;
  const preference = draft.preference.flatMap((group): Preference => {
    const steps = [...new Set(group.map(priceOf))].sort((a, b) => a - b);
    return steps.map((step) => group.filter((member) => priceOf(member) === step));
  });
  lines.push(preference.map((group) => group.map(({ platform }) => platform).join(' and ')).join(', then '));
  const keep = { ...draft.keep, missed };
  return withStep({ ...draft, keep, preference }, 'strategy', ['the cheaper first', ...lines]);
}

/** Why it misses the objectives; undefined when it holds them, or nothing can be said. */
function objectiveMissed({ policy }: Draft, { facts }: Candidate): string | undefined {
  const { p95Ms, attempts, failed } = facts.traffic;
  if (attempts < MIN_ATTEMPTS) return undefined;
  const { maxP95Ms = Number.POSITIVE_INFINITY, maxErrorRatio = 1 } = policy.cost ?? {};
  if (p95Ms > maxP95Ms) return `p95 ${Math.round(p95Ms)} ms`;
  if (failed / attempts > maxErrorRatio) return `${failed} of ${attempts} failed`;
  return undefined;
}

function remember(
  { before, policy, now }: Draft,
  platform: PlatformName,
  misses: boolean,
): Missed[string] | undefined {
  const last = before.missed?.[platform];
  if (!misses) return last !== undefined && now - last.until < policy.holdDown.maxMs ? last : undefined;
  if (last !== undefined && now < last.until) return last;
  const times = (last?.times ?? 0) + 1;
  return { times, until: now + holdDownMs(policy, times) };
}
