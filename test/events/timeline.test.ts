import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPES, type EventType, type LoggedEvent } from '../../src/core/events.ts';
import { EVENT_SOURCES, inOrder, sourceOf } from '../../src/events/timeline.ts';

function told(seq: number, at: number, platformAt: number): LoggedEvent {
  const what = { application: 'shop', platform: 'cf', id: `${seq}`, kind: 'crash', text: 'it crashed' };
  return { seq, at, type: 'platform.event', ...what, platformAt };
}

function published(seq: number, at: number): LoggedEvent {
  return { seq, at, type: 'table.published', version: seq, shares: {} };
}

describe('one timeline of all that is told', () => {
  it('has what platforms tell where it happened, not where we heard of it', () => {
    const order = inOrder([published(1, 100), published(2, 200), told(3, 300, 150)]);
    expect(order.map(({ seq }) => seq)).toEqual([1, 3, 2]);
  });

  it('moves nothing into the future by a clock that is ahead of ours', () => {
    const order = inOrder([told(1, 100, 900), published(2, 200)]);
    expect(order.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('knows who tells each of them', () => {
    const types = Object.keys(EVENT_TYPES) as EventType[];
    const of = (source: string) => types.filter((type) => sourceOf({ type }) === source);
    expect(of('platform')).toEqual(['platform.api.down', 'platform.api.up', 'platform.event']);
    expect(of('deployment')).toContain('deployment.progress');
    expect(of('deployment')).toContain('power.ordered');
    expect(of('decision')).toContain('verdict.changed');
    expect(EVENT_SOURCES.flatMap(of).sort()).toEqual([...types].sort());
  });
});
