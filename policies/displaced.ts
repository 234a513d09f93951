import type { PlatformName } from '../src/core/ids.ts';
import type { PolicyState, TargetMemory } from '../src/core/policy.ts';
import type { Draft } from './draft.ts';
import { holdDownMs } from './hold-down.ts';

type Displaced = NonNullable<PolicyState['displaced']>;

interface Displacing {
  readonly displaced: Displaced;
  /** With those whose time is over on their way back. */
  readonly memory: Readonly<Record<PlatformName, TargetMemory>>;
  /** Parts of those that no rule speaks of any more and that wait all the same. */
  readonly kept: Readonly<Record<PlatformName, number>>;
}

/** What rules leave of targets' shares (`parts`), and what is left for a while of those they have let go. */
export function displace(draft: Draft, parts: Readonly<Record<PlatformName, number>>): Displacing {
  const { before, policy, now } = draft;
  const displaced: Record<PlatformName, Displaced[string]> = {};
  const memory: Record<PlatformName, TargetMemory> = { ...draft.memory };
  const kept: Record<PlatformName, number> = {};
  for (const [platform, last] of Object.entries(memory)) {
    const earlier = before.displaced?.[platform];
    const part = parts[platform];
    if (part !== undefined) {
      const begins = earlier === undefined || now >= earlier.until;
      const times = (earlier?.times ?? 0) + (begins ? 1 : 0);
      displaced[platform] = { part, times, until: now + holdDownMs(policy, times) };
    } else if (earlier !== undefined && now < earlier.until) {
      displaced[platform] = earlier;
      kept[platform] = earlier.part;
    } else if (earlier !== undefined && last.membership.kind === 'in' && earlier.part < 1) {
      memory[platform] = {
        ...last,
        membership: { kind: 'ramping', step: stepAbove(draft, earlier.part), since: now },
      };
      kept[platform] = earlier.part;
      displaced[platform] = { ...earlier, part: 1 };
    } else if (earlier !== undefined && now - earlier.until < policy.holdDown.maxMs) {
      // Remembered for a while: the next time it waits for longer.
      displaced[platform] = earlier;
    }
  }
  return { displaced, memory, kept };
}

function stepAbove({ policy }: Draft, part: number): number {
  const step = policy.ramp.steps.findIndex((one) => one > part);
  return Math.max(0, step);
}
