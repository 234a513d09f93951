import type { Random } from '../core/ports.ts';

export const systemRandom: Random = () => Math.random();

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for tests and jitter. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
