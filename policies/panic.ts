import type { Shares } from '../src/core/decision.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { PanicSettings } from '../src/core/policy-settings.ts';
import { type Candidate, type Draft, normalised, totalOf, withStep } from './draft.ts';
import { fill } from './fill.ts';

const DEFAULT_PANIC: PanicSettings = { below: 0.3, mode: 'last-known-good', exitAfterMs: 0 };
const NO = ['no'];

/**
 * With very little healthy capacity left we doubt our eyes more than the platforms. Whoever is fenced gets nothing,
 * and whoever is down gets nothing unless the policy fails open.
 */
export function panic(draft: Draft): Draft {
  const settings = draft.policy.panic ?? DEFAULT_PANIC;
  const healthy = healthyPart(draft);
  const { before, now } = draft;
  const short = healthy !== undefined && healthy < settings.below;
  const calmSince = short ? undefined : (before.calmSince ?? now);
  const lasting =
    before.panicSince !== undefined && calmSince !== undefined && now - calmSince < settings.exitAfterMs;
  if (healthy === undefined || (!short && !lasting)) return withStep(draft, 'panic', NO);

  const keep = {
    ...draft.keep,
    panicSince: before.panicSince ?? now,
    ...(calmSince === undefined ? {} : { calmSince }),
  };
  const { shares, shed, line } = answer(draft, settings);
  const percent = Math.round(healthy * 100);
  const why = short
    ? `only ${percent} % of the needed capacity is healthy`
    : `${percent} % is healthy again, not yet for ${settings.exitAfterMs / 1000} s`;
  return withStep({ ...draft, shares, shed, keep, mode: 'panic' }, 'panic', [`${why}: ${line}`]);
}

/** Undefined when nobody can serve: that is no matter of too little. */
function healthyPart({ candidates, policy }: Draft): number | undefined {
  if (!candidates.some(({ rank }) => rank === 'serving')) return undefined;
  return carriedBy(candidates) / policy.overprovision;
}

/** Part of the demand that those carry who are known to serve, overprovision included. */
function carriedBy(candidates: readonly Candidate[]): number {
  let carried = 0;
  for (const { rank, limit } of candidates) if (rank === 'serving') carried += limit;
  return carried;
}

interface PanicAnswer {
  readonly shares: Shares;
  readonly shed: number;
  readonly line: string;
}

function answer(draft: Draft, { mode }: PanicSettings): PanicAnswer {
  switch (mode) {
    case 'last-known-good': {
      const standing = new Set(draft.candidates.filter(isStanding).map(({ platform }) => platform));
      const kept = only(draft.before.lastGood, standing);
      const shares = totalOf(kept) > 0 ? normalised(kept) : draft.shares;
      return { shares, shed: draft.shed, line: 'the last good shares stand' };
    }
    case 'fail-open': {
      const open = draft.candidates.filter(({ eligible }) => eligible);
      const group = open.map(({ platform, facts }) => ({ platform, weight: facts.weight }));
      const { shares } = fill([group], () => Number.POSITIVE_INFINITY);
      return { shares, shed: draft.shed, line: 'everybody that may serve is asked' };
    }
    case 'shed': {
      const shed = Math.max(draft.shed, 1 - Math.min(1, carriedBy(draft.candidates)));
      return { shares: draft.shares, shed, line: `${Math.round(shed * 100)} % are answered 503` };
    }
    case 'static':
      return { shares: draft.shares, shed: 1, line: 'everybody is shown the page' };
  }
}

function isStanding({ eligible, rank, facts }: Candidate): boolean {
  return eligible && (rank !== 'none' || facts.verdict.state === 'starting');
}

export function only(shares: Shares, platforms: ReadonlySet<PlatformName>): Shares {
  return Object.fromEntries(Object.entries(shares).filter(([platform]) => platforms.has(platform)));
}
