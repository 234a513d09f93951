import type { ServerResponse } from 'node:http';
import type { EventLog } from '../core/ports.ts';

/** While a reader takes nothing, this many events may happen; then it is cut off and comes back with Last-Event-ID. */
const PATIENCE_EVENTS = 1_000;
/** How many are handed to the socket before asking whether it can take more. */
const BATCH = 64;

/**
 * Server-sent events (WHATWG HTML §9.2): first what is newer than `since`, then everything as it happens. Events are
 * taken from the log as fast as the reader takes them, so a slow one costs no memory.
 */
export function streamEvents(
  events: EventLog,
  since: number,
  response: ServerResponse,
  open: Set<() => void>,
): void {
  let last = since;
  let blocked = false;
  let missed = 0;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();

  function pump(): void {
    while (!blocked) {
      const batch = events.since(last, BATCH);
      const newest = batch.at(-1);
      if (newest === undefined) return;
      last = newest.seq;
      const text = batch.map(
        (event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
      );
      blocked = !response.write(text.join(''));
    }
  }

  const unsubscribe = events.onEvent((event) => {
    // "From now on" has its place in the log as soon as something happens.
    if (last > event.seq) last = event.seq - 1;
    if (!blocked) pump();
    else if (++missed > PATIENCE_EVENTS) end();
  });
  response.on('drain', () => {
    blocked = false;
    missed = 0;
    pump();
  });

  function end(): void {
    unsubscribe();
    open.delete(end);
    // Not `end`: that would wait for the reader to take what it does not take.
    if (blocked) response.destroy();
    else response.end();
  }
  open.add(end);
  response.on('close', end);
  pump();
}
