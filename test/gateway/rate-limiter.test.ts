import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RateLimiter } from '../../src/gateway/rate-limiter.ts';
import { networkOf } from '../../src/gateway/rate-limits.ts';
import { seededRandom } from '../../src/lib/random.ts';

const limiter = (rps: number, burst: number): RateLimiter => new RateLimiter({ rps, burst }, seededRandom(1));

/** A bucket as one would draw it: tokens that drip in. */
class PlainBucket {
  #tokens: number;
  #at = 0;
  readonly #rps: number;
  readonly #burst: number;

  constructor(rps: number, burst: number) {
    this.#rps = rps;
    this.#burst = burst;
    this.#tokens = burst;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#rps) / 1_000);
    this.#at = now;
    if (this.#tokens < 1 - 1e-6) return false;
    this.#tokens -= 1;
    return true;
  }
}

describe('the rate limiter', () => {
  it('lets a burst through, then the rate, and says how long to wait', () => {
    const limit = limiter(10, 3);
    expect([1, 2, 3].map(() => limit.take('a', 1_000))).toEqual([0, 0, 0]);
    expect(limit.take('a', 1_000)).toBeCloseTo(100);
    expect(limit.take('a', 1_060)).toBeCloseTo(40);
    expect(limit.take('a', 1_100)).toBe(0);
    expect(limit.take('a', 1_100)).toBeCloseTo(100);
    expect(limit.take('b', 1_100)).toBe(0);
  });

  it('decides for every key as a bucket of its own would', () => {
    const requests = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 400 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(
        requests,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 9 }),
        (all, rps, burst) => {
          const limit = limiter(rps, burst);
          const plain = new Map(['a', 'b', 'c'].map((key) => [key, new PlainBucket(rps, burst)]));
          let now = 0;
          for (const [key, passed] of all) {
            now += passed;
            if ((limit.take(key, now) === 0) !== plain.get(key)?.take(now)) return false;
          }
          return true;
        },
      ),
    );
  });

  it('forgets nobody who is over the limit in a flood of strangers', () => {
    const limit = limiter(0.001, 5);
    for (let i = 0; i < 5; i += 1) expect(limit.take('greedy', 0)).toBe(0);
    for (let i = 0; i < 200_000; i += 1) {
      limit.take(`stranger ${i}`, 0);
      if (i % 50_000 === 0) expect(limit.take('greedy', 0)).toBeGreaterThan(0);
    }
    expect(limit.take('greedy', 0)).toBeGreaterThan(0);
  });

  it('knows a network by any spelling of its addresses', () => {
    expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(networkOf('2001:db8:1:2::9')).toBe('2001:db8:1:2');
    expect(networkOf('2001:db8::9')).toBe('2001:db8:0:0');
    expect(networkOf('2001:db8::5:6:7:8')).toBe('2001:db8:0:0');
    expect(networkOf('::1')).toBe('0:0:0:0');
    expect(networkOf('1::')).toBe('1:0:0:0');
    expect(networkOf('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0');
  });
});
