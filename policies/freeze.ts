import { type Draft, shareOf, withStep } from './draft.ts';

const HOUR_MS = 3_600_000;
/** More than this within an hour is not weather any more. */
const DEFAULT_MOST = 3;

/**
 * Counts automatic failovers. Too many within the hour freeze whatever is voluntary and call a person, until one
 * lifts it; who is down is left all the same.
 */
export function freeze(draft: Draft): Draft {
  const { before, now, policy } = draft;
  const most = policy.maxFailoversPerHour ?? DEFAULT_MOST;
  const recent = before.failovers?.filter((at) => now - at < HOUR_MS) ?? [];
  const failovers = isFailover(draft) ? [...recent, now] : recent;
  if (failovers.length === 0 && before.frozen === undefined) return draft;
  const frozen =
    before.frozen ??
    (failovers.length >= most && failovers.length > recent.length
      ? { since: now, why: `${failovers.length} automatic failovers within the hour` }
      : undefined);
  const keep = { ...draft.keep, failovers, ...(frozen === undefined ? {} : { frozen }) };
  if (frozen === undefined) return { ...draft, keep };
  const intents: Draft['intents'] =
    before.frozen === undefined
      ? [...draft.intents, { kind: 'call', reason: `automation is frozen: ${frozen.why}` }]
      : draft.intents;
  return withStep({ ...draft, keep, intents }, 'safety', [`automation is frozen: ${frozen.why}`]);
}

/** Somebody who served is believed down, and not because a person said so. */
function isFailover({ candidates, before }: Draft): boolean {
  const isLeft = candidates.some(
    ({ platform, rank, eligible }) => eligible && rank === 'none' && shareOf(before.shares, platform) > 0,
  );
  // With nobody to go to it is an outage, and no failover.
  return isLeft && candidates.some(({ rank }) => rank === 'serving');
}
