import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '../../src/core/events.ts';
import type { EventLog } from '../../src/core/ports.ts';
import { taskLines } from '../../src/orchestrator/task-lines.ts';

describe('taskLines', () => {
  it('tells the first lines, and once that there are more', () => {
    const told: DomainEvent[] = [];
    const events = { append: (event: DomainEvent) => told.push(event) } as unknown as EventLog;
    const tell = taskLines(events, { application: 'shop', platform: 'cf', run: 'h-1' }, 2);
    for (const text of ['one', 'two', 'three', 'four']) tell({ text });
    expect(told.map((event) => (event.type === 'task.log' ? event.text : event.type))).toEqual([
      'one',
      'two',
      '… it prints more than 2 lines: the rest is in the logs of cf',
    ]);
  });
});
