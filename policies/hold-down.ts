import type { PlatformName } from '../src/core/ids.ts';
import type { Membership, TargetMemory } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import { type Candidate, type Draft, shareOf, withStep } from './draft.ts';
import { withReturning } from './returning.ts';

export const FAILOVER_MEMORY_MS = 3_600_000;

/** Nagios' own. */
const DEFAULT_FLAP = { start: 0.2, stop: 0.05 };

const FRESH: TargetMemory = { membership: { kind: 'fresh' }, failovers: [] };
const IN: Membership = { kind: 'in' };

/**
 * Who left comes back only after it proved itself for a while, and the longer the more often it left. Leaving is
 * never delayed, and who is the only one able to serve does not wait.
 */
export function holdDown(draft: Draft): Draft {
  const memory = memoryOf(draft);
  const parts: Record<PlatformName, number> = {};
  let waits = false;
  for (const platform in memory) {
    if (memory[platform]?.membership.kind !== 'held') continue;
    parts[platform] = 0;
    waits = true;
  }
  function lines(): readonly string[] {
    const found = Object.entries(memory).flatMap(([platform, one]) => linesOf(draft, platform, one));
    return found.length > 0 ? found : ['nobody waits'];
  }
  const shares = waits ? withReturning(draft, parts) : draft.shares;
  return withStep({ ...draft, memory, shares }, 'hold-down', lines);
}

/** The very memory of before when there is nothing to add to it: so it is most of the time. */
function memoryOf(draft: Draft): Draft['memory'] {
  const { candidates, before } = draft;
  let busy = false;
  let known = 0;
  for (const platform in before.targets) {
    busy ||= isRamping(before.targets[platform]);
    known += 1;
  }
  const found = candidates.map((candidate) => {
    const next = remember(draft, candidate, busy);
    busy ||= isRamping(next);
    return next;
  });
  const isAlone = !candidates.some(({ rank }, i) => rank === 'serving' && isMember(found[i]));
  const stays = candidates.every(({ platform }, i) => found[i] === before.targets[platform]);
  if (stays && !isAlone && known === candidates.length) return before.targets;

  const memory: Record<PlatformName, TargetMemory> = {};
  for (const [i, candidate] of candidates.entries()) {
    const next = found[i] ?? FRESH;
    memory[candidate.platform] = isAlone ? admitted(candidate, next) : next;
  }
  return memory;
}

function remember(draft: Draft, candidate: Candidate, busy: boolean): TargetMemory {
  const known = withFlapping(draft, candidate, draft.before.targets[candidate.platform] ?? FRESH);
  const last = withoutOld(known, draft.now);
  const { kind } = last.membership;
  // Whoever put it to sleep ended what it went through before: woken, it is needed now.
  if (candidate.asleep) return kind === 'fresh' ? last : { ...last, membership: FRESH.membership };
  switch (candidate.rank) {
    case 'none': {
      if (kind === 'fresh' || kind === 'out') return last;
      const since = draft.now;
      // Who was sent away did not fail.
      if (candidate.drained) return { ...last, membership: { kind: 'out', since, drained: true } };
      const served = shareOf(draft.before.shares, candidate.platform) > 0 && kind !== 'held';
      const failovers = served ? [...last.failovers, since] : last.failovers;
      return { ...last, membership: { kind: 'out', since }, failovers };
    }
    case 'unknown':
      return last;
    case 'serving': {
      const membership = serving(draft, candidate, last, busy);
      return membership === last.membership ? last : { ...last, membership };
    }
  }
}

function withoutOld(last: TargetMemory, now: number): TargetMemory {
  // The oldest is the first.
  const [oldest] = last.failovers;
  if (oldest === undefined || now - oldest < FAILOVER_MEMORY_MS) return last;
  return { ...last, failovers: last.failovers.filter((at) => now - at < FAILOVER_MEMORY_MS) };
}

function serving(
  draft: Draft,
  { platform, facts }: Candidate,
  memory: TargetMemory,
  busy: boolean,
): Membership {
  const { policy, now } = draft;
  const { membership: last, failovers } = memory;
  if (draft.orders.failover?.platform === platform) return IN;
  // It serves because it did, not because anybody knows that it can: no step forward on that.
  if (facts.verdict.state === 'unknown') return last;
  if (last.kind === 'fresh') return IN;
  // It was away for a drill and never failed.
  if (draft.orders.recalled.includes(platform)) return IN;
  if (last.kind === 'out') {
    if (last.drained === true) return { kind: 'held', since: now, until: now };
    const times = memory.flapping === true ? 2 : 1;
    const until = now + Math.min(policy.holdDown.maxMs, times * holdDownMs(policy, failovers.length));
    return { kind: 'held', since: now, until };
  }
  if (last.kind !== 'held') return last;
  const ordered = draft.orders.failback.includes(platform);
  const due = now >= last.until && memory.flapping !== true && mayReturn(draft) && !busy;
  return ordered || due ? { kind: 'ramping', step: 0, since: now } : last;
}

/** Does anybody come back by itself, at this moment? */
function mayReturn({ policy, orders, facts, before, now }: Draft): boolean {
  if (orders.held !== undefined || orders.noFailback !== undefined || before.frozen !== undefined)
    return false;
  // Without the state store we may be one of several who each believe to be alone.
  if (facts.self?.state === 'lost') return false;
  if (policy.failback === 'scheduled') return policy.failbackWindow?.isOpen(now) === true;
  return policy.failback === 'auto';
}

/** Nagios: it flaps from `start` on until it has calmed down below `stop`. */
function withFlapping({ policy }: Draft, { facts }: Candidate, last: TargetMemory): TargetMemory {
  const { start, stop } = policy.flap ?? DEFAULT_FLAP;
  const changes = facts.signals?.flap ?? 0;
  const flapping = changes > start || (last.flapping === true && changes >= stop);
  if (flapping === (last.flapping === true)) return last;
  if (flapping) return { ...last, flapping };
  const { flapping: _, ...calm } = last;
  return calm;
}

function isRamping(memory: TargetMemory | undefined): boolean {
  return memory?.membership.kind === 'ramping';
}

/** No hold-down and no ramp keeps traffic from the only targets that can serve. */
function admitted({ rank, facts }: Candidate, memory: TargetMemory): TargetMemory {
  if (rank !== 'serving' || facts.verdict.state === 'unknown') return memory;
  return { ...memory, membership: IN };
}

function isMember(memory: TargetMemory | undefined): boolean {
  return memory !== undefined && (memory.membership.kind === 'in' || memory.membership.kind === 'fresh');
}

/** The first outage costs the base; each further one within the hour doubles it. */
export function holdDownMs(policy: PolicySettings, failovers: number): number {
  return Math.min(policy.holdDown.maxMs, policy.holdDown.baseMs * 2 ** Math.max(0, failovers - 1));
}

function linesOf(
  draft: Draft,
  platform: PlatformName,
  { membership, failovers, flapping }: TargetMemory,
): readonly string[] {
  const lines = flapping === true ? [`${platform} flaps: it returns when it has kept still`] : [];
  if (membership.kind === 'held') lines.push(`${platform} ${waiting(draft, membership, failovers.length)}`);
  if (membership.kind === 'out')
    lines.push(`${platform} is out since ${seconds(draft.now - membership.since)}`);
  return lines;
}

function waiting(draft: Draft, held: Membership & { kind: 'held' }, failovers: number): string {
  const { failback } = draft.policy;
  if (failback === 'scheduled') return 'serves again; failback is scheduled';
  if (failback !== 'auto') return `serves again; failback is ${failback}`;
  if (draft.facts.self?.state === 'lost')
    return 'serves again; nobody returns: the state store does not answer';
  const hindrance = draft.orders.held ?? draft.orders.noFailback ?? draft.before.frozen?.why;
  if (hindrance !== undefined) return `serves again; nobody returns: ${hindrance}`;
  const often = failovers > 1 ? ` after ${failovers} failovers within the hour` : '';
  return `serves again and waits ${seconds(held.until - draft.now)} more${often}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
