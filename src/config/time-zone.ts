import { isTimeZone } from '../lib/cron-window.ts';
import { isMap } from './path.ts';

/** The document with its own `timezone` in each entry that has a time of the clock and names none. */
export function withTimeZone(root: unknown): unknown {
  const zone = isMap(root) ? root['timezone'] : undefined;
  if (typeof zone !== 'string' || !isTimeZone(zone)) return root;

  function within(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(within);
    if (!isMap(value)) return value;
    const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, within(one)]));
    const hasClock = typeof inner['cron'] === 'string' || typeof inner['schedule'] === 'string';
    return hasClock && inner['timezone'] === undefined ? { ...inner, timezone: zone } : inner;
  }
  return within(root);
}
