import { z } from 'zod';
import type {
  PlatformEvent,
  PlatformEventsPage,
  PlatformEventsQuery,
} from '../../src/core/platform-events.ts';
import { eventText } from '../../src/lib/event-text.ts';
import { isoTime } from '../../src/lib/iso-time.ts';
import type { Session } from './client.ts';
import { isNotThere } from './errors.ts';
import { findOwnApp } from './find.ts';

/**
 * Only these: each of our own reads of an environment is an audit event too, and there are many of them. `app.crash` is left
 * out: where the platform tells of a process, it says the same crash twice.
 */
const TYPES = [
  'audit.app.process.crash',
  'audit.app.process.rescheduling',
  'audit.app.process.ready',
  'audit.app.process.not-ready',
  'audit.app.process.terminate_instance',
  'audit.app.process.scale',
  'audit.app.create',
  'audit.app.update',
  'audit.app.delete-request',
  'audit.app.start',
  'audit.app.stop',
  'audit.app.restart',
  'audit.app.restage',
  'audit.app.build.create',
  'audit.app.droplet.mapped',
  'audit.app.deployment.create',
  'audit.app.deployment.cancel',
  'audit.app.deployment.continue',
  'audit.app.revision.create',
  'audit.app.apply_manifest',
  'audit.app.map-route',
  'audit.app.unmap-route',
  'audit.app.task.create',
  'audit.app.task.cancel',
  'audit.app.ssh-authorized',
  'audit.app.ssh-unauthorized',
] as const;

const PAGE = 100;

/** Of `data` only what names nothing private: requests may hold anything. */
const eventSchema = z.object({
  guid: z.string(),
  created_at: z.string(),
  type: z.string(),
  actor: z.object({ type: z.string().nullish(), name: z.string().nullish() }).nullish(),
  data: z
    .object({
      index: z.number().nullish(),
      reason: z.string().nullish(),
      exit_description: z.string().nullish(),
      crash_count: z.number().nullish(),
    })
    .catch({})
    .nullish(),
});
type AuditEvent = z.output<typeof eventSchema>;
const pageSchema = z.object({ resources: z.array(eventSchema) });

/** Stamps are whole seconds, so the cursor's own second is asked for again: an event of it may have come later. */
const cursorSchema = z.object({ app: z.string().optional(), from: z.string(), seen: z.array(z.string()) });
type Cursor = z.output<typeof cursorSchema>;

export async function events(
  session: Session,
  application: string,
  { most, since, after }: PlatformEventsQuery,
): Promise<PlatformEventsPage> {
  const before: Cursor | undefined = after === undefined ? undefined : cursorSchema.parse(JSON.parse(after));
  const app = before?.app ?? (await findOwnApp(session, application))?.guid;
  const from = before?.from ?? (since === undefined ? undefined : second(since));
  // Not there yet: the next look begins where this one would have.
  if (app === undefined) return { events: [], cursor: JSON.stringify({ from: from ?? second(0), seen: [] }) };
  const found = await lookUp({
    target_guids: app,
    types: TYPES.join(','),
    order_by: after === undefined ? '-created_at' : 'created_at',
    per_page: String(PAGE),
    ...(from === undefined ? {} : { 'created_ats[gte]': from }),
  });

  /** Where no audit is kept (Korifi) nothing is told. */
  async function lookUp(query: Readonly<Record<string, string>>) {
    try {
      return await session.find('/v3/audit_events', pageSchema, query);
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  const all = [...(found?.resources ?? [])].sort((a, b) => a.created_at.localeCompare(b.created_at));
  const fresh = all.filter(({ guid }) => !before?.seen.includes(guid)).slice(-most);
  const newest = all.at(-1)?.created_at ?? from ?? second(0);
  const seen = all.filter(({ created_at }) => created_at === newest).map(({ guid }) => guid);
  // Under its name another one may come.
  const isGone = fresh.some(({ type }) => type === 'audit.app.delete-request');
  const cursor: Cursor = {
    ...(isGone ? {} : { app }),
    from: newest,
    seen: all.length === 0 ? (before?.seen ?? []) : seen,
  };
  return { events: fresh.map(told), cursor: JSON.stringify(cursor) };
}

function told({ guid, created_at, type, actor, data }: AuditEvent): PlatformEvent {
  const parts = [
    type.replace(/^audit\.app\./, '').replaceAll('.', ' '),
    ...(data?.index == null ? [] : [`instance ${data.index}`]),
    ...(data?.exit_description == null ? [] : [data.exit_description]),
    ...(data?.exit_description == null && data?.reason != null ? [data.reason] : []),
    ...(actor?.type === 'user' && actor.name != null ? [`by ${actor.name}`] : []),
  ];
  return {
    id: guid,
    at: Date.parse(created_at),
    kind: type,
    text: eventText(parts.join(', ')),
    ...(data?.crash_count == null ? {} : { count: data.crash_count }),
  };
}

function second(ms: number): string {
  return `${isoTime(ms).slice(0, 19)}Z`;
}
