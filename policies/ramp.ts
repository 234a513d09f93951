import type { PlatformName } from '../src/core/ids.ts';
import type { Membership, TargetMemory } from '../src/core/policy.ts';
import { type Draft, sum, withStep } from './draft.ts';
import { holdDownMs } from './hold-down.ts';
import { withReturning } from './returning.ts';
import { wilsonLower } from './wilson.ts';

/** Traffic facts look back this far: a step is judged only when it is older than what it is judged by. */
const TRAFFIC_WINDOW_MS = 10_000;
const MIN_ATTEMPTS = 20;
/** A returning target may fail this much more often than the others do. */
const TOLERANCE = 0.01;

const NOBODY = ['nobody is on its way back'];

/** Step by step back to the full share; back to waiting when it fails more often than those who served meanwhile. */
export function ramp(draft: Draft): Draft {
  if (!isAnyRamping(draft)) return withStep(draft, 'ramp', NOBODY);
  const memory: Record<PlatformName, TargetMemory> = { ...draft.memory };
  const parts: Record<PlatformName, number> = {};
  const lines: string[] = [];
  for (const [platform, last] of Object.entries(draft.memory)) {
    const next = last.membership.kind === 'ramping' ? advance(draft, platform, last, last.membership) : last;
    memory[platform] = next;
    const { membership } = next;
    if (membership.kind === 'held') parts[platform] = 0;
    if (membership.kind === 'ramping') {
      parts[platform] = draft.policy.ramp.steps[membership.step] ?? 1;
      lines.push(`${platform} ${stepLine(draft, membership)}`);
    }
    if (last.membership.kind === 'ramping' && membership.kind === 'held') {
      lines.push(`${platform} fails more often than the others do: its return is put off`);
    }
  }
  const shares = Object.keys(parts).length === 0 ? draft.shares : withReturning(draft, parts);
  return withStep({ ...draft, memory, shares }, 'ramp', lines.length > 0 ? lines : NOBODY);
}

function isAnyRamping({ memory }: Draft): boolean {
  for (const platform in memory) if (memory[platform]?.membership.kind === 'ramping') return true;
  return false;
}

function advance(
  draft: Draft,
  platform: PlatformName,
  last: TargetMemory,
  ramping: Membership & { kind: 'ramping' },
): TargetMemory {
  const { policy, now } = draft;
  if (isWorse(draft, platform, ramping)) {
    const failovers = [...last.failovers, now];
    const until = now + holdDownMs(policy, failovers.length);
    return { membership: { kind: 'held', since: now, until }, failovers };
  }
  const due = now - ramping.since >= policy.ramp.everyMs && !isHalted(draft);
  const step = due ? ramping.step + 1 : ramping.step;
  const part = policy.ramp.steps[step] ?? 1;
  if (part >= 1) return { ...last, membership: { kind: 'in' } };
  return due ? { ...last, membership: { kind: 'ramping', step, since: now } } : last;
}

/** A person, or our own blindness, keeps everything where it is. */
function isHalted({ orders, blind, before }: Draft): boolean {
  return orders.held !== undefined || blind || before.frozen !== undefined;
}

function isWorse(draft: Draft, platform: PlatformName, ramping: Membership & { kind: 'ramping' }): boolean {
  if (draft.now - ramping.since < TRAFFIC_WINDOW_MS) return false;
  const target = draft.facts.targets.find((candidate) => candidate.platform === platform);
  if (!target || target.traffic.attempts < MIN_ATTEMPTS) return false;
  const others = draft.facts.targets.filter(
    (other) => draft.memory[other.platform]?.membership.kind === 'in',
  );
  const attempts = sum(others.map(({ traffic }) => traffic.attempts));
  const failed = sum(others.map(({ traffic }) => traffic.failed));
  const incumbents = attempts === 0 ? 0 : failed / attempts;
  return wilsonLower(target.traffic.failed, target.traffic.attempts) > incumbents + TOLERANCE;
}

function stepLine({ policy, now }: Draft, { step, since }: Membership & { kind: 'ramping' }): string {
  const { steps, everyMs } = policy.ramp;
  const left = Math.max(0, Math.round((since + everyMs - now) / 1000));
  const percent = Math.round((steps[step] ?? 1) * 1000) / 10;
  return `returns: step ${step + 1} of ${steps.length}, ${percent} % of its share, next in ${left} s`;
}
