import { describe, expect, it } from '@jest/globals';
import { exitReason } from '../../src/app/exit-reason.ts';
import { restartBackoff, restartDelay } from '../../src/app/restart-delay.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';

describe('the wait before a process is started again', () => {
  it('is none at first, doubles, and ends at five seconds', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map(restartDelay)).toEqual([
      0, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
  });

  it('grows while every life is short, so that a process which dies at once cannot make us spin', () => {
    const clock = virtualClock();
    const backoff = restartBackoff(clock);
    let starts = 0;
    while (clock.now() < 60_000) {
      backoff.started();
      starts++;
      clock.advance(50 + backoff.ended());
    }
    expect(starts).toBeLessThan(20);
  });

  it('is none again after a life of ten seconds', () => {
    const clock = virtualClock();
    const backoff = restartBackoff(clock);
    for (const life of [10, 10, 10]) {
      backoff.started();
      clock.advance(life);
      backoff.ended();
    }
    backoff.started();
    clock.advance(10_000);
    expect(backoff.ended()).toBe(0);
  });
});

describe('how a process ended', () => {
  it('is said in words', () => {
    expect(exitReason(null, 'SIGKILL')).toBe('killed by SIGKILL');
    expect(exitReason(1, null)).toBe('exited with code 1');
    expect(exitReason(null, null)).toBe('could not be started');
  });
});
