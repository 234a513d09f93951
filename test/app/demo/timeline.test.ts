import { describe, expect, it } from '@jest/globals';
import {
  createTimeline,
  hasShare,
  lostShare,
  movedTraffic,
  noticed,
  shareNow,
} from '../../../src/app/demo/timeline.ts';
import type { DomainEvent, LoggedEvent } from '../../../src/core/events.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { pass } from '../../support/virtual-time.ts';

function at(time: number, event: DomainEvent): LoggedEvent {
  return { seq: time, at: time, ...event };
}

function table(time: number, shares: Record<string, number>): LoggedEvent {
  return at(time, { type: 'table.published', version: time, shares: { shop: shares } });
}

function decision(before: Record<string, number>, shares: Record<string, number>): LoggedEvent {
  return at(1, { type: 'decision.made', application: 'shop', before, shares, reasons: [] });
}

describe('the timeline', () => {
  it('finds what happened already, not what happened before the moment in question', async () => {
    const timeline = createTimeline(virtualClock());
    for (const event of [table(1, { cf: 1 }), table(5, { cf: 0.5 }), table(9, { cf: 1 })]) {
      timeline.accept(event);
    }
    expect((await timeline.first('cf', 2, hasShare('cf', 0.9), 100)).at).toBe(9);
    expect(timeline.count(2, hasShare('cf', 0.1))).toBe(2);
    expect(shareNow(timeline.events, 'cf')).toBe(1);
    expect(shareNow(timeline.events, 'rack')).toBe(0);
  });

  it('waits for what is to come', async () => {
    const clock = virtualClock();
    const timeline = createTimeline(clock);
    const found = timeline.first('cf has nothing', 0, lostShare('cf'), 1_000);
    await pass(clock, 200);
    timeline.accept(table(200, { rack: 1 }));
    await pass(clock, 40);
    expect((await found).at).toBe(200);
  });

  it('says what it waited for in vain', async () => {
    const clock = virtualClock();
    const failed = expect(
      createTimeline(clock).first('cf is noticed', 0, noticed('cf'), 500),
    ).rejects.toMatchObject({ code: 'NOT_HEALTHY', message: expect.stringContaining('cf is noticed') });
    await pass(clock, 600);
    await failed;
  });
});

describe('what counts', () => {
  it('as noticed: the first ejection or down verdict of that platform', () => {
    const ejected: DomainEvent = {
      type: 'origin.ejected',
      platform: 'cf',
      origin: 'cf/h:1',
      reason: 'refused',
      worker: 0,
      forMs: 1,
    };
    const verdict = (to: 'down' | 'degraded'): DomainEvent => ({
      type: 'verdict.changed',
      application: 'shop',
      platform: 'cf',
      from: 'up',
      to,
      cause: '',
      evidence: [],
    });
    const found = [ejected, verdict('down'), verdict('degraded')].map((event) => at(1, event));
    expect(found.map(noticed('cf'))).toEqual([true, true, false]);
    expect(found.some(noticed('rack'))).toBe(false);
  });

  it('as moved traffic: any platform has another share than before', () => {
    expect(movedTraffic(decision({ cf: 1 }, { cf: 0.5, rack: 0.5 }))).toBe(true);
    expect(movedTraffic(decision({ cf: 1 }, { cf: 1, rack: 0 }))).toBe(false);
    expect(movedTraffic(decision({ cf: 0.5 }, { cf: 0.5004 }))).toBe(false);
  });
});
