import { z } from 'zod';
import type { LogLine, LogsPage, LogsQuery, ProviderContext } from '../../src/core/provider.ts';
import type { HostClient } from './client.ts';
import type { HostLogs } from './wire.ts';

const cursorSchema = z.record(z.string(), z.unknown());

/** The host keeps the last lines of each instance, over its restarts; the cursor holds a place in each of them. */
export async function logs(
  host: Pick<HostClient, 'logs'>,
  context: ProviderContext,
  application: string,
  { lines: most, since = 0, after }: LogsQuery,
): Promise<LogsPage> {
  const marks = after === undefined ? {} : cursorSchema.parse(JSON.parse(after));
  const found = await host.logs(application, marks, context.signal);
  const lines = found.lines.map(lineOf);
  return {
    // Only the first part is limited: nothing after a mark may get lost.
    lines: after === undefined ? lines.filter(({ at }) => at >= since).slice(-most) : lines,
    cursor: JSON.stringify(found.marks),
    ...(found.missed ? { missed: true } : {}),
  };
}

/** `shop/r-0123456789/0` names the release too. */
function lineOf({ at, text, instance }: HostLogs['lines'][number]): LogLine {
  const release = instance.split('/')[1];
  return { at, source: 'app', text, instance, ...(release === undefined ? {} : { release }) };
}
