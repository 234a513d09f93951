import { type Draft, withStep } from './draft.ts';

/** `sluice failover`: the platform a person named comes before whatever the strategy prefers, as long as it can serve. */
export function directed(draft: Draft): Draft {
  const order = draft.orders.failover;
  if (order === undefined) return draft;
  const { platform, why } = order;
  const able = draft.candidates.some((one) => one.platform === platform && one.rank !== 'none');
  if (!able) return withStep(draft, 'strategy', [`${platform} cannot serve, although ${why}`]);
  const preference = [
    [{ platform, weight: 1 }],
    ...draft.preference
      .map((group) => group.filter((member) => member.platform !== platform))
      .filter((group) => group.length > 0),
  ];
  return withStep({ ...draft, preference }, 'strategy', [`${platform} first: ${why}`]);
}
