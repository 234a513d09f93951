import { median, ratios, spread } from './statistics.ts';

/** More than this between the best and the worst round, and the numbers say little. */
export const INCONCLUSIVE_SPREAD = 0.1;
export const CONCLUSIVE_ROUNDS = 5;

export type Conclusion = { readonly conclusive: true } | { readonly conclusive: false; readonly why: string };

/** Whether the rounds agree well enough to be quoted. */
export function conclude(rounds: readonly number[]): Conclusion {
  if (rounds.length < CONCLUSIVE_ROUNDS) {
    return { conclusive: false, why: `fewer than ${CONCLUSIVE_ROUNDS} rounds` };
  }
  const apart = spread(rounds);
  if (apart <= INCONCLUSIVE_SPREAD) return { conclusive: true };
  return { conclusive: false, why: `spread ${Math.round(apart * 100)} %` };
}

export type Verdict = 'kept' | 'missed' | 'inconclusive';

/**
 * Is the gateway's cost at most `atMost` times the peer's? Where rounds disagree, only what all of them say counts:
 * noise of some per cent cannot excuse four times the cost, and one lucky round cannot hide it.
 */
export function judge(gateway: readonly number[], peer: readonly number[], atMost: number): Verdict {
  const all = ratios(gateway, peer);
  if (all.every((ratio) => ratio <= atMost)) return 'kept';
  if (all.every((ratio) => ratio > atMost)) return 'missed';
  const settled = conclude(gateway).conclusive && conclude(peer).conclusive;
  if (!settled) return 'inconclusive';
  return median(all) <= atMost ? 'kept' : 'missed';
}
