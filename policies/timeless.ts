import type { PolicySettings } from '../src/core/settings.ts';
import type { Candidate, Draft } from './draft.ts';

/**
 * Would any later moment decide alike from the same facts? Then the application can wait until something is heard of
 * it. When in doubt, no: what a policy may ask of the clock, orders that expire, anybody who is not simply there.
 */
export function isTimeless(draft: Draft): boolean {
  const { policy, facts, before, shares, mode, intents } = draft;
  return (
    shares === before.shares &&
    mode === 'normal' &&
    intents.length === 0 &&
    !facts.acts?.length &&
    !facts.attribution?.length &&
    !asksTheClock(policy) &&
    !remembersMoments(draft) &&
    draft.candidates.every((candidate) => isSimplyThere(draft, candidate))
  );
}

/** Windows, and conditions that may be about time. */
function asksTheClock(policy: PolicySettings): boolean {
  const { rules, budget, maintenance, freeze, safety, cost } = policy;
  return [rules, budget, maintenance, freeze, safety, cost].some((part) => part !== undefined);
}

function remembersMoments({ keep, policy }: Draft): boolean {
  // Former failovers matter to who has to wait after one; the others count them at the next.
  if (keep.failovers !== undefined && policy.minDelayMs !== undefined) return true;
  if (keep.writer !== undefined && !keep.writer.ready) return true;
  for (const what in keep) if (what !== 'failovers' && what !== 'writer') return true;
  return false;
}

function isSimplyThere({ memory }: Draft, { platform, eligible, facts }: Candidate): boolean {
  const last = memory[platform];
  const isIn = last?.membership.kind === 'in' && last.flapping !== true;
  return eligible && isIn && facts.verdict.state === 'up' && facts.verdict.impaired === undefined;
}
