import type { Facts } from '../src/core/facts.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { BurnTrigger, RuleAct } from '../src/core/policy-settings.ts';
import type { Draft } from './draft.ts';

type ErrorWindow = keyof NonNullable<Facts['errorRatio']>;

const WINDOW_MS: Readonly<Record<ErrorWindow, number>> = {
  '10s': 10_000,
  '60s': 60_000,
  '5m': 300_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
};

interface Burning {
  readonly name: string;
  readonly platform: PlatformName | undefined;
  readonly since: number;
  readonly act: RuleAct;
}

/**
 * Error budgets: a trigger acts while both its windows burn faster than its rate (SRE workbook, multi-window
 * multi-burn-rate). The long one says that it matters, the short one that it still goes on.
 */
export function burns(draft: Draft): readonly Burning[] {
  const { policy, facts, now } = draft;
  const { budget } = policy;
  if (budget === undefined) return [];
  const allowed = 1 - budget.objective;
  return budget.triggers
    .filter((trigger) => isBurning(facts, trigger, allowed))
    .map(({ longMs, shortMs, rate, act }) => ({
      name: `budget burns over ${rate} × (${labelOf(longMs)} and ${labelOf(shortMs)})`,
      platform: worst(facts),
      since: now,
      act,
    }));
}

function isBurning({ errorRatio }: Facts, { longMs, shortMs, rate }: BurnTrigger, allowed: number): boolean {
  return [longMs, shortMs].every((ms) => {
    const ratio = errorRatio?.[labelOf(ms)];
    return ratio !== undefined && ratio / allowed > rate;
  });
}

/** The measured window that is nearest from below. */
function labelOf(ms: number): ErrorWindow {
  let best: ErrorWindow = '10s';
  for (const label of ['10s', '60s', '5m', '30m', '1h', '6h'] as const) {
    if (WINDOW_MS[label] <= ms) best = label;
  }
  return best;
}

/** Whose requests fail most often; nobody when none fail. */
function worst({ targets }: Facts): PlatformName | undefined {
  let found: { readonly platform: PlatformName; readonly ratio: number } | undefined;
  for (const { platform, traffic } of targets) {
    const ratio = traffic.attempts === 0 ? 0 : traffic.failed / traffic.attempts;
    if (ratio > (found?.ratio ?? 0)) found = { platform, ratio };
  }
  return found?.platform;
}
