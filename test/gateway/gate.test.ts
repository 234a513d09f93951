import { describe, expect, it } from '@jest/globals';
import { CLOSED, Gate, HALF_OPEN, OPEN } from '../../src/gateway/gate.ts';

const RULES = {
  consecutive: 5,
  failureRatio: 0.5,
  minRequests: 20,
  windowMs: 10_000,
  baseMs: 5_000,
  maxMs: 300_000,
  cap: 3,
};

function gateWith(change: Partial<typeof RULES> = {}): Gate {
  return new Gate({ ...RULES, ...change }, () => 0.5);
}

describe('the gate', () => {
  it('trips at the fifth failure in a row, and a success between starts anew', () => {
    const gate = gateWith();
    for (let i = 0; i < 4; i += 1) expect(gate.failure(i, true)).toBeUndefined();
    gate.success(5, false);
    for (let i = 0; i < 4; i += 1) expect(gate.failure(i, true)).toBeUndefined();
    expect(gate.failure(10, true)).toBe('consecutive-failures');
  });

  it("counts an application's own errors for the rate only: half of at least twenty", () => {
    const gate = gateWith();
    for (let i = 0; i < 9; i += 1) {
      gate.success(i, false);
      expect(gate.failure(i, false)).toBeUndefined();
    }
    gate.success(9, false);
    expect(gate.failure(9, false)).toBe('failure-rate');
  });

  it('forgets failures of before a silence', () => {
    const gate = gateWith();
    for (let i = 0; i < 4; i += 1) gate.failure(0, true);
    expect(gate.failure(20_000, true)).toBeUndefined();
  });

  it('lets one trial in after its time, and nobody beside it', () => {
    const gate = gateWith();
    gate.open(0, 'refused');
    expect(gate.admits(4_999, true)).toBe('no');
    expect(gate.admits(5_000, true)).toBe('trial');
    expect(gate.enter()).toBe(true);
    expect(gate.state).toBe(HALF_OPEN);
    expect(gate.admits(5_000, true)).toBe('no');
    expect(gate.success(5_010, true)).toBe(true);
    gate.leave(true);
    expect([gate.state, gate.inFlight]).toEqual([CLOSED, 0]);
    expect(gate.admits(5_010, true)).toBe('yes');
  });

  it('prefers a trial that may be repeated, but not for ever', () => {
    const gate = gateWith();
    gate.open(0, 'refused');
    expect(gate.admits(6_000, false)).toBe('no');
    expect(gate.admits(15_000, false)).toBe('trial');
  });

  it('tries again after a trial that proved nothing', () => {
    const gate = gateWith();
    gate.open(0, 'refused');
    gate.enter();
    gate.leave(true);
    expect(gate.state).toBe(OPEN);
    expect(gate.admits(5_000, true)).toBe('trial');
  });

  it('opens for longer each time a trial fails, however late it came, and not without end', () => {
    const gate = gateWith();
    let now = 0;
    gate.open(now, 'refused');
    const spans = [gate.until - now];
    for (let i = 0; i < 100; i += 1) {
      // Nobody came for a minute: that is no good standing.
      now = gate.until + 60_000;
      expect(gate.enter()).toBe(true);
      gate.open(now, 'refused');
      gate.leave(true);
      spans.push(gate.until - now);
    }
    expect(spans.slice(0, 4)).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(spans.at(-1)).toBe(300_000);
    expect(gate.times).toBe(60);
  });

  it('forgives one time for each window after a trial that went well', () => {
    const gate = gateWith();
    gate.open(0, 'refused');
    for (let i = 0; i < 4; i += 1) gate.open(gate.until, 'refused');
    expect(gate.times).toBe(5);
    const back = gate.until + 500_000;
    gate.enter();
    expect(gate.success(back, true)).toBe(true);
    gate.leave(true);
    gate.open(back + 25_000, 'refused');
    expect(gate.times).toBe(4);
  });

  it('takes over the end and the count of another, and of a time that is over only that a trial is due', () => {
    const gate = gateWith();
    gate.openUntil(40_000, 'stall', 7);
    expect([gate.state, gate.until, gate.times, gate.reason]).toEqual([OPEN, 40_000, 7, 'stall']);
    gate.open(40_000, 'stall');
    expect(gate.until - 40_000).toBe(40_000);
    const late = gateWith();
    late.openUntil(1_000, 'refused', 2);
    expect([late.state, late.admits(9_000, true)]).toEqual([OPEN, 'trial']);
  });

  it('keeps nobody waiting while a trial runs, and is not full then', () => {
    const gate = gateWith({ cap: 1 });
    gate.enter();
    expect(gate.isFull).toBe(true);
    gate.open(0, 'refused');
    expect(gate.isFull).toBe(false);
    gate.leave(false);
    gate.enter();
    expect([gate.state, gate.isFull]).toEqual([HALF_OPEN, false]);
  });

  it('lets whoever gives a place back have it again', () => {
    const gate = gateWith({ cap: 1 });
    gate.enter();
    expect([gate.admits(0, true), gate.admits(0, true, 1)]).toEqual(['no', 'yes']);
  });

  it('takes other settings, and stays shut if it was', () => {
    const gate = gateWith();
    gate.enter();
    gate.tune({ ...RULES, cap: 1, consecutive: 1 });
    expect([gate.isFull, gate.failure(0, true)]).toEqual([true, 'consecutive-failures']);
    gate.open(0, 'refused');
    gate.tune(RULES);
    expect(gate.admits(1, true)).toBe('no');
  });

  it('holds the cap', () => {
    const gate = gateWith();
    for (let i = 0; i < 3; i += 1) gate.enter();
    expect(gate.admits(0, true)).toBe('no');
    gate.leave(false);
    expect(gate.admits(0, true)).toBe('yes');
  });

  it('is not opened shorter by the word of another worker, and tries when that one succeeded', () => {
    const gate = gateWith();
    gate.open(0, 'refused');
    gate.openUntil(1_000, 'refused');
    expect(gate.until).toBe(5_000);
    gate.openUntil(9_000, 'stall');
    expect(gate.until).toBe(9_000);
    gate.tryAgain(2_000);
    expect(gate.admits(2_000, true)).toBe('trial');
  });
});
