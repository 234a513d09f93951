import type { RequestHead } from './wire.ts';

/**
 * How many more hops an OPTIONS may take (RFC 9110 §7.6.2): undefined when it does not say, NaN when what it says is
 * no number, or when it says it twice.
 */
export function maxForwards({ method, headers }: RequestHead): number | undefined {
  if (method !== 'OPTIONS') return undefined;
  let found: number | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'max-forwards') continue;
    const value = headers[i + 1]!;
    if (found !== undefined || !/^[0-9]{1,9}$/.test(value)) return Number.NaN;
    found = Number(value);
  }
  return found;
}
