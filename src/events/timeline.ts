import type { EventType, LoggedEvent } from '../core/events.ts';

/** Who tells: the platforms themselves, whoever changes what runs there, or whoever decides where traffic goes. */
export type EventSource = 'platform' | 'deployment' | 'decision';

export const EVENT_SOURCES: readonly EventSource[] = ['platform', 'deployment', 'decision'];

const CHANGES = ['deployment', 'scale', 'power', 'task', 'services', 'placement', 'drift'];

export function sourceOf({ type }: { readonly type: EventType }): EventSource {
  const [area = ''] = type.split('.');
  if (area === 'platform') return 'platform';
  return CHANGES.includes(area) ? 'deployment' : 'decision';
}

/** When it happened, as far as is known: platforms are read now and then, and tell of what was before. */
export function happenedAt(event: LoggedEvent): number {
  return event.type === 'platform.event' ? Math.min(event.platformAt, event.at) : event.at;
}

/** In the order in which it happened; a platform's clock that is ahead of ours moves nothing into the future. */
export function inOrder(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  return [...events].sort((a, b) => happenedAt(a) - happenedAt(b) || a.seq - b.seq);
}
