import { describe, expect, it } from '@jest/globals';
import { afterExit, NO_EXITS, type RestartHistory } from '../../src/runner/restart-policy.ts';

/** No jitter: the waits are then exact. */
const steady = () => 0;

/** Exits that follow at once upon each start; returns the waits and the last history. */
function exits(count: number, from: RestartHistory = NO_EXITS, startAt = 0) {
  const waits: number[] = [];
  let history = from;
  let now = startAt;
  for (let i = 0; i < count; i++) {
    const next = afterExit(history, { at: now, readyAt: undefined }, steady);
    history = next.history;
    waits.push(next.waitMs);
    now += next.waitMs;
  }
  return { waits, history, now };
}

describe('restart policy', () => {
  it('doubles the wait from half a second', () => {
    expect(exits(4).waits).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('calls five exits within a minute a crash loop and goes on at the longest wait', () => {
    const { waits, history } = exits(5);
    expect(waits[4]).toBe(30_000);
    expect(history.crashLoop).toBe(true);
    expect(exits(3, history, 100_000).waits).toEqual([30_000, 30_000, 30_000]);
  });

  it('stays in the crash loop although later exits are rare', () => {
    const { history, now } = exits(7);
    expect(afterExit(history, { at: now + 600_000, readyAt: now + 599_000 }, steady).history.crashLoop).toBe(
      true,
    );
  });

  it('does not call slow crashes a crash loop, and never waits longer than 30 s', () => {
    let history = NO_EXITS;
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const next = afterExit(history, { at: i * 20_000, readyAt: undefined }, steady);
      history = next.history;
      waits.push(next.waitMs);
    }
    expect(history.crashLoop).toBe(false);
    expect(Math.max(...waits)).toBe(30_000);
  });

  it('forgets everything after 30 s of being ready', () => {
    const { history } = exits(6);
    const next = afterExit(history, { at: 1_030_000, readyAt: 1_000_000 }, steady);
    expect(next).toEqual({
      history: { exits: [1_030_000], failures: 1, crashLoop: false },
      waitMs: 500,
    });
  });

  it('forgets nothing when it was ready for less', () => {
    const { history } = exits(2);
    expect(afterExit(history, { at: 130_000, readyAt: 100_001 }, steady).waitMs).toBe(2_000);
  });

  it('takes at most a quarter off as jitter', () => {
    expect(afterExit(NO_EXITS, { at: 0, readyAt: undefined }, () => 0.999_999).waitMs).toBeCloseTo(375, 0);
  });
});
