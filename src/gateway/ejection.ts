import type { Random } from '../core/ports.ts';
import type { EjectionReason } from '../core/signals.ts';
import type { FailureClass } from './wire.ts';

/** How often an origin was ejected lately: each time takes longer than the last. */
export interface EjectionHistory {
  readonly times: number;
  /** When the last ejection ends or ended; same clock as `now`. */
  readonly until: number;
}

export interface EjectionRules {
  readonly baseMs: number;
  readonly maxMs: number;
  /** An origin that stayed in this long after its ejection has one of them forgiven. */
  readonly windowMs: number;
}

export const NEVER_EJECTED: EjectionHistory = { times: 0, until: Number.NEGATIVE_INFINITY };

/** Several workers and replicas that ejected at one moment must not all try again at one moment. */
const JITTER = 0.2;

/** 5 s, 10 s, 15 s, … at most `maxMs`, ± 20 %. Time spent in good standing is forgiven step by step. */
export function eject(
  history: EjectionHistory,
  rules: EjectionRules,
  now: number,
  random: Random,
): EjectionHistory {
  // More than leads to the longest time would only take longer to be forgiven.
  const most = Math.max(1, Math.ceil(rules.maxMs / rules.baseMs));
  const times = Math.min(most, 1 + standing(history, rules, now));
  const wanted = Math.min(rules.maxMs, rules.baseMs * times) * (1 + JITTER * (2 * random() - 1));
  return { times, until: now + Math.min(rules.maxMs, wanted) };
}

function standing(history: EjectionHistory, rules: EjectionRules, now: number): number {
  if (history.times === 0) return 0;
  const goodFor = Math.max(0, now - history.until);
  return Math.max(0, history.times - Math.floor(goodFor / rules.windowMs));
}

/** Failures after which nobody is sent there again before a trial: the next one would meet the same. */
export function ejectsAtOnce(failure: FailureClass): EjectionReason | undefined {
  switch (failure) {
    case 'refused':
    case 'connect-reset':
    case 'connect-timeout':
    case 'tls':
      return failure;
    case 'reset':
    case 'protocol':
    case 'unsendable':
      return undefined;
  }
}

/**
 * At most all but one origin of a platform, and all of them when the platform's traffic has another to go to:
 * an ejection moves load, and load must have somewhere to move.
 */
export function mayEject(siblingsLeft: number, elsewhere: boolean): boolean {
  return elsewhere || siblingsLeft > 0;
}
