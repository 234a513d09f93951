import type { TargetFacts } from '../src/core/facts.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { Intent } from '../src/core/intent.ts';
import type { PolicyState } from '../src/core/policy.ts';
import { type Candidate, type Draft, type Preference, shareOf, withStep } from './draft.ts';
import { fill } from './fill.ts';
import { groupsOf } from './groups.ts';

type ScaledFrom = NonNullable<PolicyState['scaledFrom']>;

const DEFAULT_BACK_AFTER_MS = 600_000;
const NOTHING = ['nothing beside moving traffic'];

/**
 * Failover brings its capacity along: while somebody is missing, the others are asked to grow to what they would
 * carry if they had room, each within its own limit; what fits moves now, the rest as instances become routable. Cold
 * standbys are woken for what even that does not carry.
 * Some time after everybody is back they shrink to what they were.
 */
export function growth(draft: Draft): Draft {
  const isMissing = isShort(draft);
  if (!isMissing && draft.before.scaledFrom === undefined) return withStep(draft, 'intents', NOTHING);
  const hindrance = hindranceOf(draft);
  const before = draft.before.scaledFrom ?? {};
  const intents: Intent[] = [];
  const scaledFrom: Record<PlatformName, ScaledFrom[string]> = {};
  const needed = isMissing ? neededInstances(draft) : new Map<PlatformName, number>();

  for (const { platform, facts } of draft.candidates) {
    const { instances } = facts;
    const origin = before[platform];
    const wanted = needed.get(platform);
    if (instances === undefined) {
      if (origin !== undefined) scaledFrom[platform] = origin;
    } else if (wanted !== undefined && wanted > instances.desired) {
      scaledFrom[platform] = origin ?? { instances: instances.desired, since: draft.now };
      const rps = Math.round(draft.facts.demandRps);
      const reason =
        facts.asleep === undefined
          ? `${Math.round(shareOf(draft.shares, platform) * 100)} % of ${rps} rps, others are missing`
          : `those who are awake cannot carry ${rps} rps`;
      if (hindrance === undefined) intents.push({ kind: 'scale', platform, instances: wanted, reason });
    } else if (origin !== undefined && instances.desired > origin.instances) {
      // Nothing is put to sleep that still serves.
      const isUsed = origin.instances === 0 && shareOf(draft.shares, platform) > 0;
      const since = isMissing || isUsed ? draft.now : origin.since;
      const backAfterMs = draft.policy.scale?.backAfterMs ?? DEFAULT_BACK_AFTER_MS;
      scaledFrom[platform] = { ...origin, since };
      if (draft.now - since >= backAfterMs && hindrance === undefined) {
        const reason = 'everybody is back';
        intents.push({ kind: 'scale', platform, instances: origin.instances, reason });
      }
    }
  }
  const lines = intents.map(describe);
  if (needed.size > 0 && hindrance !== undefined) lines.push(`nobody is scaled: ${hindrance}`);
  const keep = Object.keys(scaledFrom).length === 0 ? draft.keep : { ...draft.keep, scaledFrom };
  const next = { ...draft, keep, intents: [...draft.intents, ...intents] };
  return withStep(next, 'intents', lines.length > 0 ? lines : NOTHING);
}

/** Somebody who should carry a part cannot, or a rule says that it is not enough. */
function isShort({ candidates, scaling, memory }: Draft): boolean {
  if (scaling) return true;
  return candidates.some(({ platform, rank, drained, asleep, facts }) => {
    if (asleep) return false;
    const wasThere = memory[platform]?.membership.kind !== 'fresh';
    return (rank === 'none' && (wasThere || drained)) || (rank === 'serving' && facts.availability < 1);
  });
}

function neededInstances(draft: Draft): Map<PlatformName, number> {
  const { candidates, preference, facts } = draft;
  const limitOf = new Map(
    candidates.map((candidate) => [candidate.platform, fullLimit(candidate, facts.demandRps)]),
  );
  const { shares } = fill(
    [...preference, ...sleepers(candidates)],
    (platform) => limitOf.get(platform) ?? Number.POSITIVE_INFINITY,
  );
  const needed = new Map<PlatformName, number>();
  for (const { platform, facts: target } of candidates) {
    const { rpsPerInstance, instances, asleep } = target;
    if (asleep !== undefined) {
      const share = shareOf(shares, platform);
      if (share > 0) needed.set(platform, sizeOf(target, asleep.instances, share * facts.demandRps));
      continue;
    }
    if (rpsPerInstance === undefined || instances?.max === undefined) continue;
    const wanted = Math.ceil((shareOf(shares, platform) * facts.demandRps) / rpsPerInstance - 1e-9);
    if (wanted > 0) needed.set(platform, Math.min(instances.max, wanted));
  }
  return needed;
}

/** After everybody who is awake, by tier; those of one tier together. */
function sleepers(candidates: readonly Candidate[]): Preference {
  return groupsOf(
    candidates.flatMap((one) => (one.asleep ? [{ ...one, rank: 'serving' as const }] : [])),
    ({ facts }) => facts.tier,
    ({ facts }) => facts.weight,
  );
}

/** As many as it is said to start with, or as the load wants, within its limit. */
function sizeOf({ rpsPerInstance, instances }: TargetFacts, least: number, rps: number): number {
  const wanted = rpsPerInstance === undefined ? least : Math.ceil(rps / rpsPerInstance - 1e-9);
  return Math.min(instances?.max ?? least, Math.max(least, wanted));
}

/** Part of the demand that it could carry with all the instances it may have. */
export function fullLimit({ facts }: Pick<Candidate, 'facts'>, demandRps: number): number {
  const { rpsPerInstance, instances, capacityRps, asleep } = facts;
  if (demandRps <= 0 || capacityRps === undefined) return Number.POSITIVE_INFINITY;
  const most = instances?.max ?? asleep?.instances;
  if (rpsPerInstance === undefined || most === undefined) return capacityRps / demandRps;
  return (rpsPerInstance * most) / demandRps;
}

function hindranceOf({ policy, orders, facts, blind, before, now }: Draft): string | undefined {
  if (policy.scale?.withFailover === false) return 'the policy does not scale';
  if (orders.held !== undefined) return `held, ${orders.held}`;
  if (blind) return 'we are cut off ourselves';
  if (facts.self?.state === 'lost') return 'the state store does not answer';
  if (before.frozen !== undefined) return 'automation is frozen';
  const window = policy.freeze?.find(({ window, deny }) => deny.includes('scale') && window.isOpen(now));
  return window === undefined ? undefined : `frozen ${window.window.text}`;
}

function describe(intent: Intent): string {
  return intent.kind === 'scale'
    ? `scale ${intent.platform} to ${intent.instances} instances: ${intent.reason}`
    : intent.kind;
}
