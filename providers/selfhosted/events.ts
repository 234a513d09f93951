import { z } from 'zod';
import type { PlatformEventsPage, PlatformEventsQuery } from '../../src/core/platform-events.ts';
import type { ProviderContext } from '../../src/core/provider.ts';
import { eventText } from '../../src/lib/event-text.ts';
import type { HostClient } from './client.ts';

const cursorSchema = z.object({ memory: z.number(), seq: z.number() });
type Cursor = z.output<typeof cursorSchema>;

/** As the daemon remembers; another daemon has another memory. */
export async function events(
  host: HostClient,
  { signal }: ProviderContext,
  application: string,
  { most, since = 0, after }: PlatformEventsQuery,
): Promise<PlatformEventsPage> {
  const before: Cursor | undefined = after === undefined ? undefined : cursorSchema.parse(JSON.parse(after));
  const found = await host.happenings(application, before?.seq ?? 0, signal);
  if (found === undefined) return { events: [], cursor: after ?? JSON.stringify({ memory: 0, seq: 0 }) };
  const isSame = before === undefined || before.memory === found.memory;
  const all = isSame ? found : ((await host.happenings(application, 0, signal)) ?? found);
  const cursor: Cursor = {
    memory: all.memory,
    seq: all.happenings.at(-1)?.seq ?? (isSame ? (before?.seq ?? 0) : 0),
  };
  return {
    events: all.happenings
      .filter(({ at }) => before !== undefined || at >= since)
      .slice(-most)
      .map(({ seq, at, instance, kind, text }) => ({
        id: `${all.memory}-${seq}`,
        at,
        kind,
        text: eventText(`${instance} ${text}`),
      })),
    cursor: JSON.stringify(cursor),
  };
}
