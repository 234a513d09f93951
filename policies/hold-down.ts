import type { PlatformName } from '../src/core/ids.ts';
import type { Membership, TargetMemory } from '../src/core/policy.ts';
import type { PolicySettings } from '../src/core/settings.ts';
import { type Candidate, type Draft, shareOf, withStep } from './draft.ts';
import { withReturning } from './returning.ts';

export const FAILOVER_MEMORY_MS = 3_600_000;

const FRESH: TargetMemory = { membership: { kind: 'fresh' }, failovers: [] };

/**
 * Who left comes back only after it proved itself for a while, and the longer the more often it left. Leaving is
 * never delayed, and who is the only one able to serve does not wait.
 */
export function holdDown(draft: Draft): Draft {
  const memory: Record<PlatformName, TargetMemory> = {};
  for (const candidate of draft.candidates) memory[candidate.platform] = remember(draft, candidate);
  admitWhenAlone(draft.candidates, memory);

  const parts: Record<PlatformName, number> = {};
  const lines: string[] = [];
  for (const [platform, { membership, failovers }] of Object.entries(memory)) {
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

function remember(draft: Draft, candidate: Candidate): TargetMemory {
  const last = draft.before.targets[candidate.platform] ?? FRESH;
  const failovers = last.failovers.filter((at) => draft.now - at < FAILOVER_MEMORY_MS);
  const { kind } = last.membership;
  const out: Membership = { kind: 'out', since: draft.now };
  switch (candidate.rank) {
    case 'none': {
      if (kind === 'fresh' || kind === 'out') return { ...last, failovers };
      const served = shareOf(draft.before.shares, candidate.platform) > 0 && kind !== 'held';
      return { membership: out, failovers: served ? [...failovers, draft.now] : failovers };
    }
    case 'unknown':
      return { ...last, failovers };
    case 'serving':
      return { membership: serving(draft, candidate, last.membership, failovers.length), failovers };
  }
}

function serving(draft: Draft, { facts }: Candidate, last: Membership, failovers: number): Membership {
  const { policy, now } = draft;
  // It serves because it did, not because anybody knows that it can: no step forward on that.
  if (facts.verdict.state === 'unknown') return last;
  if (last.kind === 'fresh') return { kind: 'in' };
  if (last.kind === 'out') return { kind: 'held', since: now, until: now + holdDownMs(policy, failovers) };
  if (last.kind === 'held' && now >= last.until && policy.failback === 'auto') {
    return { kind: 'ramping', step: 0, since: now };
  }
  return last;
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
  if (draft.policy.failback !== 'auto') return `serves again; failback is ${draft.policy.failback}`;
  const often = failovers > 1 ? ` after ${failovers} failovers within the hour` : '';
  return `serves again and waits ${seconds(held.until - draft.now)} more${often}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
