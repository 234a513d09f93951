import { z } from 'zod';
import { hasClass } from '../../src/core/errors.ts';
import type {
  PlatformEvent,
  PlatformEventsPage,
  PlatformEventsQuery,
} from '../../src/core/platform-events.ts';
import type { ProviderContext } from '../../src/core/provider.ts';
import { eventText } from '../../src/lib/event-text.ts';
import { deploymentsOf } from './processes.ts';
import { EVENT } from './resources.ts';
import type { Site } from './site.ts';
import type { Happening } from './wire.ts';

/** The platform forgets them after an hour; so may we. */
const MOST_KNOWN = 1_000;
/** Names that the platform makes up have no vowels, so that no word is among them. */
const MADE_UP = '[bcdfghjklmnpqrstvwxz2456789]';

const NAMED_BY_US = new Set(['Deployment', 'Service', 'Route', 'Ingress', 'HorizontalPodAutoscaler']);

/** How often each has happened when it was told last. */
const cursorSchema = z.object({ from: z.number(), told: z.record(z.string(), z.number()) });
type Cursor = z.output<typeof cursorSchema>;

/**
 * Of our Deployments and what comes of them, told by name: the objects themselves may be gone. The same thing again is no
 * event of its own there, it counts up: it is told again when it has happened twice as often.
 */
export async function events(
  site: Site,
  context: ProviderContext,
  application: string,
  { most, since = 0, after }: PlatformEventsQuery,
): Promise<PlatformEventsPage> {
  const before: Cursor =
    after === undefined ? { from: since, told: {} } : cursorSchema.parse(JSON.parse(after));
  const found = await all(site, context, application);
  const told: Record<string, number> = {};
  const fresh: PlatformEvent[] = [];
  for (const event of found) {
    const { uid = '' } = event.metadata;
    const count = event.series?.count ?? event.count ?? 1;
    const known = before.told[uid];
    const at = timeOf(event);
    const isOld = known === undefined && at < before.from;
    const isNews = !isOld && (known === undefined || count >= 2 * known);
    told[uid] = isNews || known === undefined ? count : known;
    if (isNews) fresh.push({ ...say(event), id: `${uid}:${count}`, at, ...(count > 1 ? { count } : {}) });
  }
  fresh.sort((a, b) => a.at - b.at);
  const cursor: Cursor = {
    from: before.from,
    told: Object.fromEntries(Object.entries(told).slice(-MOST_KNOWN)),
  };
  return { events: fresh.slice(-most), cursor: JSON.stringify(cursor) };
}

async function all(site: Site, context: ProviderContext, application: string): Promise<readonly Happening[]> {
  try {
    const others = await deploymentsOf(site, application, context.signal);
    const names = [application, ...[...others.values()].map(({ metadata }) => metadata.name)];
    const isOurs = ownerTest(application, names);
    const found = await site.client.list(EVENT, '', context.signal);
    return found.filter(({ involvedObject: { name, kind } }) => isOurs(name, kind));
  } catch (error) {
    // They are told where we may see them.
    if (hasClass(error, 'forbidden', 'unsupported')) return [];
    throw error;
  }
}

/** Deployments, their ReplicaSets and pods, builds with their pods, and what is tried beside. */
export function ownerTest(
  application: string,
  deployments: readonly string[],
): (name: string, kind: string) => boolean {
  const made = `(-${MADE_UP}{1,10}(-${MADE_UP}{5})?)?`;
  const release = `${application}--?r-[0-9a-f]{10}(-\\d+(-build)?)?${made}`;
  const trial = new RegExp(`^${release}$`);
  const own = new RegExp(`^((${deployments.join('|')})${made}|${release})$`);
  // The Deployment of an application `shop-db` looks like something made up for `shop`.
  return (name, kind) =>
    own.test(name) && (!NAMED_BY_US.has(kind) || deployments.includes(name) || trial.test(name));
}

/** Newer senders leave the old stamps empty, and older ones the new one. */
function timeOf({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: Happening): number {
  const stamp =
    series?.lastObservedTime ??
    lastTimestamp ??
    eventTime ??
    firstTimestamp ??
    metadata.creationTimestamp ??
    '';
  const at = Date.parse(stamp);
  return Number.isNaN(at) ? 0 : at;
}

function say({ involvedObject, reason, message, type }: Happening): Pick<PlatformEvent, 'kind' | 'text'> {
  const what = `${involvedObject.kind} ${involvedObject.name}: ${message}`;
  return { kind: reason, text: eventText(type === 'Warning' ? `warning, ${what}` : what) };
}
