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
