import type { PlatformName } from '../src/core/ids.ts';
import { type Draft, shareOf } from './draft.ts';
import { groupsOf, prefer, weightIn } from './groups.ts';

/**
 * The `primary` strategy: one platform at a time, the next in the order when it cannot. `failover` stays where it
 * is until it must leave, `best` goes back to the best that can serve, `strict` knows the first or nobody.
 */
export function primary(draft: Draft): Draft {
  const mode = draft.policy.primary?.switch ?? 'failover';
  const order = orderOf(draft);
  const present = mode === 'failover' ? holder(draft) : undefined;
  const placeOf = (platform: PlatformName) => (platform === present ? -1 : order.indexOf(platform));
  const candidates =
    mode === 'strict' ? draft.candidates.filter(({ platform }) => platform === order[0]) : draft.candidates;
  const preference = groupsOf(candidates, ({ platform }) => placeOf(platform), weightIn(draft));
  return prefer(draft, preference, ({ platform }) =>
    platform === present ? 'stays' : `number ${order.indexOf(platform) + 1}`,
  );
}

/** As the policy says, then by tier, then as configured. */
function orderOf({ policy, facts }: Draft): readonly PlatformName[] {
  const named = policy.primary?.order ?? [];
  const rest = facts.targets
    .filter(({ platform }) => !named.includes(platform))
    .sort((a, b) => a.tier - b.tier)
    .map(({ platform }) => platform);
  return [...named.filter((name) => facts.targets.some(({ platform }) => platform === name)), ...rest];
}

/** Who serves most now, as long as it can. */
function holder({ candidates, before }: Draft): PlatformName | undefined {
  let best: PlatformName | undefined;
  for (const { platform, rank } of candidates) {
    const share = shareOf(before.shares, platform);
    if (rank === 'serving' && share > (best === undefined ? 0 : shareOf(before.shares, best)))
      best = platform;
  }
  return best;
}
