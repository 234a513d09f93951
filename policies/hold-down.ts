import type { PlatformName } from '../src/core/ids.ts';
import type { Membership, TargetMemory } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import { type Candidate, type Draft, shareOf, withStep } from './draft.ts';
import { withReturning } from './returning.ts';

export const FAILOVER_MEMORY_MS = 3_600_000;

/** Nagios' own. */
const DEFAULT_FLAP = { start: 0.2, stop: 0.05 };

const FRESH: TargetMemory = { membership: { kind: 'fresh' }, failovers: [] };

/**
 * Who left comes back only after it proved itself for a while, and the longer the more often it left. Leaving is
 * never delayed, and who is the only one able to serve does not wait.
 */
export function holdDown(draft: Draft): Draft {
  const memory: Record<PlatformName, TargetMemory> = {};
  let busy = Object.values(draft.before.targets).some(isRamping);
  for (const candidate of draft.candidates) {
    const next = remember(draft, candidate, busy);
    memory[candidate.platform] = next;
    busy = busy || isRamping(next);
  }
  admitWhenAlone(draft.candidates, memory);

  const parts: Record<PlatformName, number> = {};
  const lines: string[] = [];
  for (const [platform, { membership, failovers, flapping }] of Object.entries(memory)) {
    if (flapping === true) lines.push(`${platform} flaps: it returns when it has kept still`);
    if (membership.kind === 'held') {
      parts[platform] = 0;
      lines.push(`${platform} ${waiting(draft, membership, failovers.length)}`);
    }
    if (membership.kind === 'out')
      lines.push(`${platform} is out since ${seconds(draft.now - membership.since)}`);
  }
  const shares = Object.keys(parts).length === 0 ? draft.shares : withReturning(draft, parts);
  return withStep({ ...draft, memory, shares }, 'hold-down', lines.length > 0 ? lines : ['nobody waits']);
}

function remember(draft: Draft, candidate: Candidate, busy: boolean): TargetMemory {
  const last = withFlapping(draft, candidate, draft.before.targets[candidate.platform] ?? FRESH);
  const flapping = last.flapping === true ? { flapping: true } : {};
  const failovers = last.failovers.filter((at) => draft.now - at < FAILOVER_MEMORY_MS);
  const { kind } = last.membership;
  const out: Membership = { kind: 'out', since: draft.now, ...(candidate.drained ? { drained: true } : {}) };
  switch (candidate.rank) {
    case 'none': {
      if (kind === 'fresh' || kind === 'out') return { ...last, failovers };
      // Who was sent away did not fail.
      if (candidate.drained) return { membership: out, failovers, ...flapping };
      const served = shareOf(draft.before.shares, candidate.platform) > 0 && kind !== 'held';
      return { membership: out, failovers: served ? [...failovers, draft.now] : failovers, ...flapping };
    }
    case 'unknown':
      return { ...last, failovers };
    case 'serving':
      return { membership: serving(draft, candidate, { ...last, failovers }, busy), failovers, ...flapping };
  }
}

function serving(
  draft: Draft,
  { platform, facts }: Candidate,
  memory: TargetMemory,
  busy: boolean,
): Membership {
  const { policy, now } = draft;
  const { membership: last, failovers } = memory;
  if (draft.orders.failover?.platform === platform) return { kind: 'in' };
  // It serves because it did, not because anybody knows that it can: no step forward on that.
  if (facts.verdict.state === 'unknown') return last;
  if (last.kind === 'fresh') return { kind: 'in' };
  // It was away for a drill and never failed.
  if (draft.orders.recalled.includes(platform)) return { kind: 'in' };
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
  const { flapping: _, ...rest } = last;
  return flapping ? { ...rest, flapping: true } : rest;
}

function isRamping({ membership }: TargetMemory): boolean {
  return membership.kind === 'ramping';
}

/** No hold-down and no ramp keeps traffic from the only targets that can serve. */
function admitWhenAlone(candidates: readonly Candidate[], memory: Record<PlatformName, TargetMemory>): void {
  const able = candidates.filter(({ rank }) => rank === 'serving');
  const members = able.filter(({ platform }) => isMember(memory[platform]));
  if (members.length > 0) return;
  for (const { platform, facts } of able) {
    const last = memory[platform];
    if (last && facts.verdict.state !== 'unknown') memory[platform] = { ...last, membership: { kind: 'in' } };
  }
}

function isMember(memory: TargetMemory | undefined): boolean {
  return memory !== undefined && (memory.membership.kind === 'in' || memory.membership.kind === 'fresh');
}

/** The first outage costs the base; each further one within the hour doubles it. */
export function holdDownMs(policy: PolicySettings, failovers: number): number {
  return Math.min(policy.holdDown.maxMs, policy.holdDown.baseMs * 2 ** Math.max(0, failovers - 1));
}

function waiting(draft: Draft, held: Membership & { kind: 'held' }, failovers: number): string {
  const { failback } = draft.policy;
  if (failback === 'scheduled') return 'serves again; failback is scheduled';
  if (failback !== 'auto') return `serves again; failback is ${failback}`;
  const hindrance = draft.orders.held ?? draft.orders.noFailback ?? draft.before.frozen?.why;
  if (hindrance !== undefined) return `serves again; nobody returns: ${hindrance}`;
  const often = failovers > 1 ? ` after ${failovers} failovers within the hour` : '';
  return `serves again and waits ${seconds(held.until - draft.now)} more${often}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
