import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import { type Candidate, type Draft, shareOf, sum, withStep } from './draft.ts';

const MINUTE_MS = 60_000;
/** Below this nothing moved. */
const NOTHING = 1e-6;
const NOTHING_MOVES = ['nothing moves voluntarily'];

/**
 * How fast traffic moves that need not: at most so much a minute, not at all while a person holds everything, while
 * automation is frozen, or when we are cut off ourselves. What must move moves at once (invariant 10).
 */
export function pace(draft: Draft): Draft {
  const forced = forcedShares(draft);
  const wanted = distance(forced, draft.shares);
  const shifts = draft.before.shifts?.filter(({ at }) => draft.now - at < MINUTE_MS) ?? [];
  const keep = shifts.length === 0 ? draft.keep : { ...draft.keep, shifts };
  if (wanted <= NOTHING) return withStep({ ...draft, forced, keep }, 'pace', NOTHING_MOVES);

  const { allowed, why } = allowance(draft, wanted, sum(shifts.map(({ part }) => part)));
  const part = Math.min(1, allowed / wanted);
  const shares = part === 1 ? draft.shares : between(draft.candidates, forced, draft.shares, part);
  const moved = wanted * part;
  const line =
    part === 1
      ? `${percent(moved)} of the traffic moves voluntarily`
      : `${percent(moved)} of ${percent(wanted)} may move now: ${why}`;
  return withStep({ ...draft, forced, shares, keep }, 'pace', [line]);
}

/** After all has been said: what moved voluntarily counts against the minute. */
export function spend(draft: Draft): Draft {
  const part = distance(draft.forced, draft.shares);
  if (part <= NOTHING) return draft;
  const shifts = [...(draft.keep.shifts ?? []), { at: draft.now, part }];
  return { ...draft, keep: { ...draft.keep, shifts } };
}

function allowance(
  draft: Draft,
  wanted: number,
  spent: number,
): { readonly allowed: number; readonly why: string } {
  const { policy, orders, before, blind, now } = draft;
  if (orders.failover !== undefined || orders.weights !== undefined) return { allowed: wanted, why: '' };
  // Who is seen to serve for the first time joins at once: a start is no shift.
  if (hasJoined(draft)) return { allowed: wanted, why: '' };
  if (orders.held !== undefined) return { allowed: 0, why: `held, ${orders.held}` };
  if (orders.recalled.length > 0) return { allowed: wanted, why: '' };
  if (before.frozen !== undefined) return { allowed: 0, why: `automation is frozen: ${before.frozen.why}` };
  if (blind) return { allowed: 0, why: 'we are cut off ourselves' };
  const last = before.failovers?.at(-1);
  if (policy.minDelayMs !== undefined && last !== undefined && now - last < policy.minDelayMs) {
    const left = Math.ceil((last + policy.minDelayMs - now) / 1000);
    return { allowed: 0, why: `the last failover is too recent, ${left} s to go` };
  }
  const most = policy.maxShiftPerMinute ?? 1;
  if (most >= 1) return { allowed: wanted, why: '' };
  return { allowed: Math.max(0, most - spent), why: `at most ${percent(most)} a minute` };
}

function hasJoined({ memory, before }: Draft): boolean {
  return Object.entries(memory).some(
    ([platform, { membership }]) =>
      membership.kind === 'in' && (before.targets[platform]?.membership.kind ?? 'fresh') === 'fresh',
  );
}

/**
 * The shares if only what had to move did: nothing on who cannot serve, on nobody more than it can carry; what
 * became free goes where more is wanted than there is.
 */
export function forcedShares({ candidates, shares, before }: Draft): Shares {
  let free = 1;
  let missing = 0;
  let mustLeave = false;
  for (const candidate of candidates) {
    const stays = stayOn(candidate, before.shares);
    free -= stays;
    missing += missingOn(candidate, shares, stays);
    mustLeave ||= stays < shareOf(before.shares, candidate.platform);
  }
  const isFull = free <= NOTHING;
  if (isFull && !mustLeave) return before.shares;
  if (!isFull && missing <= 0) return shares;
  const forced: Record<PlatformName, number> = {};
  for (const candidate of candidates) {
    const stays = stayOn(candidate, before.shares);
    forced[candidate.platform] = isFull
      ? stays
      : stays + (free * missingOn(candidate, shares, stays)) / missing;
  }
  return forced;
}

function missingOn({ platform }: Candidate, shares: Shares, stays: number): number {
  return Math.max(0, shareOf(shares, platform) - stays);
}

function stayOn({ platform, rank, limit }: Candidate, before: Shares): number {
  return rank === 'none' ? 0 : Math.min(shareOf(before, platform), limit);
}

/** Part of all traffic that is elsewhere in the one than in the other. */
function distance(a: Shares, b: Shares): number {
  if (a === b) return 0;
  let total = 0;
  for (const platform in a) total += Math.abs(shareOf(a, platform) - shareOf(b, platform));
  for (const platform in b) if (a[platform] === undefined) total += shareOf(b, platform);
  return total / 2;
}

function between(candidates: readonly Candidate[], from: Shares, to: Shares, part: number): Shares {
  return Object.fromEntries(
    candidates.map(({ platform }) => {
      const start = shareOf(from, platform);
      return [platform, start + (shareOf(to, platform) - start) * part];
    }),
  );
}

function percent(part: number): string {
  return `${Math.round(part * 1000) / 10} %`;
}
