import { describe, expect, it } from '@jest/globals';
import { pacer } from './pacer.ts';

function start(options: { perSecond: number; seconds: number; free: number }) {
  const sent: number[] = [];
  const lates: number[] = [];
  const state = { free: options.free };
  const paced = pacer({
    startMillis: 1000,
    ...options,
    late: (micros) => lates.push(micros),
    send(since) {
      if (state.free === 0) return false;
      state.free--;
      sent.push(since);
      return true;
    },
  });
  return { paced, sent, lates, state };
}

describe('the pacer', () => {
  it('sends what fell due since the last turn, and in the end as many as ordered', () => {
    const { paced, sent } = start({ perSecond: 2000, seconds: 0.01, free: 100 });
    paced.turn(1000);
    expect(sent).toHaveLength(1);
    paced.turn(1002);
    expect(sent).toHaveLength(5);
    expect(paced.over).toBe(false);
    paced.turn(1500);
    expect(sent).toHaveLength(20);
    expect(paced.over).toBe(true);
    paced.turn(1600);
    expect(sent).toHaveLength(20);
  });

  it('counts the wait for a free connection as latency', () => {
    const { paced, sent, state } = start({ perSecond: 1000, seconds: 1, free: 1 });
    paced.turn(1000);
    paced.turn(1001);
    expect(paced.waiting).toBe(1);
    state.free = 1;
    paced.turn(1001.4);
    expect(sent).toEqual([1000, 1001]);
    expect(paced.waiting).toBe(0);
  });

  it('says of requests that never found a connection how long they waited, and sends them no more', () => {
    const { paced, sent, state } = start({ perSecond: 1000, seconds: 1, free: 1 });
    paced.turn(1002);
    expect(paced.giveUp(1010)).toEqual([8, 8]);
    state.free = 5;
    paced.turn(1011);
    expect(sent).toEqual([1002]);
    expect(paced.over).toBe(true);
  });

  it('tells how late its own turns were', () => {
    const { paced, lates } = start({ perSecond: 1000, seconds: 1, free: 100 });
    paced.turn(1000);
    paced.turn(1003);
    expect(lates).toEqual([0, 2000, 1000, 0]);
  });
});
