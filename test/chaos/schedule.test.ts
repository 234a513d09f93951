import { describe, expect, it } from '@jest/globals';
import { Schedule } from './schedule.ts';

function dueUntil(schedule: Schedule, now: number): number[] {
  const due: number[] = [];
  for (let at = schedule.next(now); at !== undefined; at = schedule.next(now)) due.push(at);
  return due;
}

describe('the open loop', () => {
  it('keeps the rate however seldom it is asked', () => {
    const often = new Schedule(1_000, 300);
    let count = 0;
    for (let now = 1_000; now < 2_000; now += 7) count += dueUntil(often, now).length;
    count += dueUntil(often, 1_999.9).length;
    expect(count).toBe(300);
    expect(dueUntil(new Schedule(1_000, 300), 1_999.9)).toHaveLength(300);
  });

  it('charges a late request from when it was due, not from when it could be sent', () => {
    const schedule = new Schedule(0, 10);
    expect(dueUntil(schedule, 0)).toEqual([0]);
    expect(dueUntil(schedule, 350)).toEqual([100, 200, 300]);
    expect(schedule.count).toBe(4);
  });

  it('sends nothing before its time', () => {
    expect(new Schedule(500, 10).next(499)).toBeUndefined();
  });
});
