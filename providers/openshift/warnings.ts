import { z } from 'zod';
import { hasClass } from '../../src/core/errors.ts';
import { EVENT, pathOf } from './resources.ts';
import type { Site } from './site.ts';
import { happeningSchema } from './wire.ts';

const pageSchema = z.object({ items: z.array(happeningSchema).default([]) });

const MOST = 3;

/**
 * The last warnings of the platform about one thing, oldest first: refusals, probes that fail, volumes that cannot be
 * mounted are told nowhere else. Nothing where we may not read them.
 */
export async function warningsOf(site: Site, name: string, signal: AbortSignal): Promise<readonly string[]> {
  const selector = encodeURIComponent(`type=Warning,involvedObject.name=${name}`);
  const path = `${pathOf(EVENT, site.options.namespace)}?fieldSelector=${selector}`;
  try {
    const { items } = await site.client.read(path, pageSchema, signal);
    const newest = [...items].sort((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''));
    return newest.slice(-MOST).map(({ reason, message }) => `${reason}: ${message.trim()}`);
  } catch (error) {
    if (hasClass(error, 'forbidden', 'unsupported', 'notFound')) return [];
    throw error;
  }
}
