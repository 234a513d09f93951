import { describe, expect, it } from '@jest/globals';
import { TurnClock } from '../../src/lib/turn-clock.ts';

describe('the time of a turn', () => {
  function ticking(): { time: TurnClock; reads: () => number } {
    let reads = 0;
    const clock = { monotonic: () => ++reads };
    return { time: new TurnClock(clock), reads: () => reads };
  }

  it('is read once for all that one callback leads to', () => {
    const { time, reads } = ticking();
    time.begin();
    expect(reads()).toBe(0);
    expect([time.monotonic(), time.monotonic(), time.monotonic()]).toEqual([1, 1, 1]);
    time.end();
  });

  it('is read anew in the next one', () => {
    const { time } = ticking();
    time.begin();
    time.monotonic();
    time.end();
    time.begin();
    expect(time.monotonic()).toBe(2);
  });

  it('is that of the clock between turns', () => {
    const { time } = ticking();
    expect([time.monotonic(), time.monotonic()]).toEqual([1, 2]);
    time.begin();
    time.monotonic();
    time.end();
    expect(time.monotonic()).toBe(4);
  });
});
