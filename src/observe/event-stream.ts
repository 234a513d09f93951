import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LoggedEvent } from '../core/events.ts';
import type { EventLog } from '../core/ports.ts';

/** A reader this far behind is cut off: it comes back with Last-Event-ID and misses nothing. */
const BACKLOG_LIMIT = 4 * 1024 * 1024;

/** Server-sent events (WHATWG HTML §9.2): first what is newer than `since`, then everything as it happens. */
export function streamEvents(
  events: EventLog,
  since: number,
  request: IncomingMessage,
  response: ServerResponse,
  open: Set<() => void>,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  function send(event: LoggedEvent): void {
    response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (response.writableLength > BACKLOG_LIMIT) end();
  }
  for (const event of events.since(since)) send(event);
  const unsubscribe = events.onEvent(send);
  function end(): void {
    unsubscribe();
    open.delete(end);
    response.end();
    request.socket.destroySoon();
  }
  open.add(end);
  request.on('close', end);
}
