import type { DomainEvent } from '../core/events.ts';
import type { EventLog } from '../core/ports.ts';
import type { LogLine } from '../core/provider.ts';

type TaskLine = Extract<DomainEvent, { type: 'task.log' }>;

/** A run that talks without end would push out of the log what everybody else said. */
const MOST_LINES = 1_000;

/** What a run prints, as events: its first lines, and a word about the rest. Its last ones are told when it fails. */
export function taskLines(
  events: EventLog,
  which: Pick<TaskLine, 'application' | 'platform' | 'run'>,
  most = MOST_LINES,
): (line: Pick<LogLine, 'text'>) => void {
  let told = 0;
  return ({ text }) => {
    told += 1;
    if (told <= most) events.append({ type: 'task.log', ...which, text });
    else if (told === most + 1) {
      const more = `… it prints more than ${most} lines: the rest is in the logs of ${which.platform}`;
      events.append({ type: 'task.log', ...which, text: more });
    }
  };
}
