import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eject, mayEject, NEVER_EJECTED } from '../../src/gateway/ejection.ts';

const RULES = { baseMs: 5_000, maxMs: 300_000, windowMs: 10_000 };
const noJitter = (): number => 0.5;

describe('ejection', () => {
  it('takes longer each time: 5 s, 10 s, 15 s, at most 300 s', () => {
    let history = NEVER_EJECTED;
    const spans: number[] = [];
    let now = 0;
    for (let i = 0; i < 100; i += 1) {
      history = eject(history, RULES, now, noJitter);
      spans.push(history.until - now);
      now = history.until;
    }
    expect(spans.slice(0, 3)).toEqual([5_000, 10_000, 15_000]);
    expect(Math.max(...spans)).toBe(300_000);
  });

  it('forgives one for each window in good standing', () => {
    let history = NEVER_EJECTED;
    for (let i = 0; i < 4; i += 1)
      history = eject(history, RULES, history.until === -Infinity ? 0 : history.until, noJitter);
    const later = eject(history, RULES, history.until + 25_000, noJitter);
    expect(later.times).toBe(3);
    const muchLater = eject(history, RULES, history.until + 3_600_000, noJitter);
    expect(muchLater.times).toBe(1);
  });

  it('stays within ± 20 % and the maximum, whatever the random and the times', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(200), (random, times) => {
        const { until } = eject({ times, until: 0 }, RULES, 0, () => random);
        const wanted = Math.min(RULES.maxMs, RULES.baseMs * (times + 1));
        expect(until).toBeGreaterThanOrEqual(wanted * 0.8 - 1e-6);
        expect(until).toBeLessThanOrEqual(Math.min(RULES.maxMs, wanted * 1.2) + 1e-6);
      }),
    );
  });

  it('leaves the last origin of a platform in, unless its load has another platform to go to', () => {
    expect(mayEject(0, false)).toBe(false);
    expect(mayEject(1, false)).toBe(true);
    expect(mayEject(0, true)).toBe(true);
  });
});
