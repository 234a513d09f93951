import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
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
  /** Bytes; default 8 MiB. */
  readonly rotateAt?: number;
}

/** Events in order, the newest in memory, all of them in a file. Sequence numbers go on after a restart. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { clock, redact, file, rotateAt = FILE_LIMIT } = options;
  const kept = file === undefined ? { events: [], lastSeq: 0 } : open(file);
  const recent = [...kept.events];
  const added = emitter<LoggedEvent>();
  let seq = kept.lastSeq;

  return {
    append(event) {
      // The type is ours and no secret, even if somebody's user is called like a part of it.
      const shown = { ...redact(event), type: event.type } as DomainEvent;
      const logged: LoggedEvent = { seq: ++seq, at: clock.now(), ...shown };
      recent.push(logged);
      if (recent.length > KEPT_IN_MEMORY) recent.splice(0, recent.length - KEPT_IN_MEMORY);
      // Synchronous on purpose: a few events a second, and what led to a crash must be on disk before it.
      if (file !== undefined) write(file, rotateAt, logged);
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

interface Kept {
  readonly events: readonly LoggedEvent[];
  /** Also of a line that was only half written: somebody may have seen that event. */
  readonly lastSeq: number;
}

/** A folder that cannot be written or read must not stop the gateway: the events are then in memory only. */
function open(file: string): Kept {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const kept = readBack(file);
    endLastLine(file);
    return kept;
  } catch {
    return { events: [], lastSeq: 0 };
  }
}

/** The same for a full disk: the event is still in memory and on the stream. */
function write(file: string, rotateAt: number, event: LoggedEvent): void {
  try {
    if (existsSync(file) && statSync(file).size > rotateAt) renameSync(file, `${file}.1`);
    appendFileSync(file, `${JSON.stringify(event)}\n`, { mode: 0o600 });
  } catch {
    // Nothing better to tell it to than the log that just failed.
  }
}

function readBack(file: string): Kept {
  const events: LoggedEvent[] = [];
  let lastSeq = 0;
  for (const path of [`${file}.1`, file]) {
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const event = parseLine(line);
      if (event) events.push(event);
      lastSeq = Math.max(lastSeq, event?.seq ?? Number(/^\{"seq":(\d+),/.exec(line)?.[1] ?? 0));
    }
  }
  // Two commands that worked alone at once wrote both in here, each with its own numbers.
  events.sort((a, b) => a.seq - b.seq);
  return { events: events.slice(-KEPT_IN_MEMORY), lastSeq };
}

/** The last line may be half written if the machine went down; the next one must not be glued to it. */
function endLastLine(file: string): void {
  if (!existsSync(file)) return;
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const last = Buffer.alloc(1);
    if (size === 0 || (readSync(handle, last, 0, 1, size - 1) === 1 && last[0] === 0x0a)) return;
  } finally {
    closeSync(handle);
  }
  appendFileSync(file, '\n');
}

function parseLine(line: string): LoggedEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line) as LoggedEvent;
    return typeof event.seq === 'number' && typeof event.type === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}
