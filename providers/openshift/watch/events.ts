import type { ZodType } from 'zod';
import { bookmarkSchema, statusSchema, type Thing, watchEventSchema } from '../wire.ts';

/** One line of a watch in our words. */
export type WatchedEvent<T> =
  | { readonly type: 'put' | 'gone'; readonly object: T; readonly version: string }
  | { readonly type: 'bookmark'; readonly version: string }
  | { readonly type: 'forgotten' }
  /** What nobody can go on from: the stream is begun anew. */
  | { readonly type: 'bad' };

/** Pure. A refusal comes as an event too, in an answer whose status was 200. */
export function readEvent<T extends Thing>(line: string, schema: ZodType<T>): WatchedEvent<T> {
  const event = watchEventSchema.safeParse(parsed(line));
  if (!event.success) return { type: 'bad' };
  const { type, object } = event.data;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const thing = schema.safeParse(object);
      const version = thing.data?.metadata.resourceVersion;
      if (!thing.success || version === undefined) return { type: 'bad' };
      return { type: type === 'DELETED' ? 'gone' : 'put', object: thing.data, version };
    }
    case 'BOOKMARK': {
      const bookmark = bookmarkSchema.safeParse(object);
      return bookmark.success
        ? { type: 'bookmark', version: bookmark.data.metadata.resourceVersion }
        : { type: 'bad' };
    }
    default: {
      const status = statusSchema.safeParse(object);
      return { type: status.data?.code === 410 ? 'forgotten' : 'bad' };
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
