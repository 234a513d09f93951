import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DomainEvent, LoggedEvent } from '../core/events.ts';
import type { Clock, EventLog } from '../core/ports.ts';
import { emitter } from '../lib/emitter.ts';

const KEPT_IN_MEMORY = 5_000;
const FILE_LIMIT = 8 * 1024 * 1024;

export interface EventLogOptions {
  readonly clock: Clock;
  /** Applied to every event before anybody sees it: secrets must not reach the log. */
  readonly redact: (event: DomainEvent) => DomainEvent;
  /** NDJSON, rotated once to `<file>.1`; undefined keeps events in memory only. */
  readonly file?: string;
}

/** Events in order, the newest in memory, all of them in a file. Sequence numbers go on after a restart. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { clock, redact, file } = options;
  const recent: LoggedEvent[] = file === undefined ? [] : readBack(file);
  const added = emitter<LoggedEvent>();
  let seq = recent.at(-1)?.seq ?? 0;
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });

  return {
    append(event) {
      const logged: LoggedEvent = { seq: ++seq, at: clock.now(), ...redact(event) };
      recent.push(logged);
      if (recent.length > KEPT_IN_MEMORY) recent.splice(0, recent.length - KEPT_IN_MEMORY);
      // Synchronous on purpose: a few events a second, and what led to a crash must be on disk before it.
      if (file !== undefined) write(file, logged);
      added.fire(logged);
      return logged;
    },
    since(after, limit = KEPT_IN_MEMORY) {
      const start = recent.findIndex((event) => event.seq > after);
      return start < 0 ? [] : recent.slice(start, start + limit);
    },
    onEvent: added.event,
  };
}

/** A full disk or a lost folder must not stop the gateway: the event is still in memory and on the stream. */
function write(file: string, event: LoggedEvent): void {
  try {
    if (existsSync(file) && statSync(file).size > FILE_LIMIT) renameSync(file, `${file}.1`);
    appendFileSync(file, `${JSON.stringify(event)}\n`, { mode: 0o600 });
  } catch {
    // Nothing better to tell it to than the log that just failed.
  }
}

function readBack(file: string): LoggedEvent[] {
  const events: LoggedEvent[] = [];
  for (const path of [`${file}.1`, file]) {
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const event = parseLine(line);
      if (event) events.push(event);
    }
  }
  return events.slice(-KEPT_IN_MEMORY);
}

/** The last line may be half written if the machine went down. */
function parseLine(line: string): LoggedEvent | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as LoggedEvent;
  } catch {
    return undefined;
  }
}
