import type { ServerResponse } from 'node:http';
import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import { z } from 'zod';
import { SluiceError } from '../core/errors.ts';
import { LOG_SOURCES, type LogEntry, type Logs } from '../core/logs.ts';

/** Each follows every platform on its own: enough for people, and not for a crowd of scripts. */
const MOST_STREAMS = 20;

const names = z.string().transform((list) => list.split(','));
const querySchema = z.strictObject({
  platforms: names.optional(),
  sources: names.pipe(z.array(z.enum(LOG_SOURCES))).optional(),
  since: z.coerce.number().optional(),
  lines: z.coerce.number().int().min(1).max(10_000).default(100),
  follow: z.enum(['true', 'false']).default('false'),
});

/** `GET /v1/logs/{application}`: one JSON object a line, until all is told or, with `follow`, until the reader leaves. */
export function logStream(
  app: FastifyInstance,
  logs: Logs,
  options: RouteShorthandOptions,
  open: Set<() => void>,
): void {
  let streams = 0;
  app.get<{ Params: { application: string } }>('/v1/logs/:application', options, async (request, reply) => {
    const parsed = querySchema.safeParse(request.query);
    if (!parsed.success) {
      throw new SluiceError('USAGE', 'these logs cannot be asked for', {
        why: z.prettifyError(parsed.error),
      });
    }
    if (streams >= MOST_STREAMS) {
      throw new SluiceError('SERVER_REFUSED', `${streams} others read logs here already`, {
        remedy: 'end one of them, or set applications.*.logs.drain and read them where they go',
      });
    }
    const { follow, platforms, since, sources, lines } = parsed.data;
    const { application } = request.params;
    const over = new AbortController();
    const wish = { application, platforms, sources, since, lines, follow: follow === 'true' };
    const entries = logs.logs(wish, over.signal);
    reply.hijack();
    streams += 1;
    const end = () => over.abort();
    open.add(end);
    reply.raw.on('close', end);
    try {
      await write(entries, reply.raw, over.signal);
    } finally {
      streams -= 1;
      open.delete(end);
    }
    return reply;
  });
}

/** As fast as the reader takes them: what it does not take waits, within bounds, where it comes from. */
async function write(
  entries: AsyncIterable<LogEntry>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    for await (const entry of entries) {
      if (signal.aborted) break;
      if (!response.write(`${JSON.stringify(entry)}\n`)) await drained(response, signal);
    }
    response.end();
  } catch {
    // The status is out already: that it ended early is all that can be said.
    response.destroy();
  }
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    response.once('drain', resume);
    signal.addEventListener('abort', () => resume(), { once: true });
  });
}
