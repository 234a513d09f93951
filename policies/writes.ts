import type { PolicyState } from '../src/core/policy.ts';
import { type Draft, shareOf, withStep } from './draft.ts';

type Writer = NonNullable<PolicyState['writer']>;

/**
 * `writes: single` (invariant 11): one platform takes unsafe requests. It changes only when the writer cannot serve or a
 * person sends everything elsewhere, with a new epoch; the next one is promoted before it takes the first write, and
 * meanwhile nobody does. Without a command a promotion only puts the epoch on record, so that none is given twice.
 */
export function writes(draft: Draft): Draft {
  const { data } = draft.facts;
  if (data === undefined || data.writes === 'anywhere') return draft;
  if (data.writes === 'none') return withStep(draft, 'writes', ['unsafe requests are refused everywhere']);

  const before = draft.before.writer ?? { platform: data.writer, epoch: 1, ready: true, since: 0 };
  const ordered = orderedWriter(draft, before);
  const wanted =
    ordered ?? (mayStay(draft, before.platform) ? before.platform : (successor(draft) ?? before.platform));
  const moved = wanted !== before.platform;
  const epoch = moved ? before.epoch + 1 : before.epoch;
  const promoted = (draft.facts.promotedEpoch ?? 0) >= epoch;
  const ready = moved ? promoted : before.ready || promoted;
  const writer: Writer = { platform: wanted, epoch, ready, since: moved ? draft.now : before.since };
  const reason = ordered === undefined ? 'the writer cannot take writes' : (draft.orders.failover?.why ?? '');
  const intents: Draft['intents'] = writer.ready
    ? draft.intents
    : [...draft.intents, { kind: 'promote-writer', platform: wanted, epoch, reason }];
  const line = writer.ready
    ? `${wanted} takes the writes, epoch ${epoch}`
    : `${wanted} will take the writes once it is promoted (epoch ${epoch}); until then nobody does`;
  return withStep({ ...draft, intents, keep: { ...draft.keep, writer } }, 'writes', [line]);
}

/**
 * `sluice failover`: the writes go along, once: who fails after that does not become the writer again by an old order,
 * for it may have missed writes meanwhile.
 */
function orderedWriter({ orders, candidates }: Draft, before: Writer): string | undefined {
  const order = orders.failover;
  if (order === undefined || order.since <= before.since) return undefined;
  const able = candidates.some(({ platform, rank }) => platform === order.platform && rank !== 'none');
  return able ? order.platform : undefined;
}

/** One that has never served has not failed either: in a first deployment others may simply be there sooner. */
function mayStay({ candidates, blind, memory }: Draft, platform: string): boolean {
  if (memory[platform]?.membership.kind === 'fresh') return true;
  return blind || candidates.some((one) => one.platform === platform && one.rank !== 'none');
}

/** Who serves most is nearest to the data's readers. */
function successor({ candidates, shares }: Draft): string | undefined {
  const able = candidates.filter(({ rank }) => rank === 'serving');
  return [...able].sort((a, b) => shareOf(shares, b.platform) - shareOf(shares, a.platform))[0]?.platform;
}
