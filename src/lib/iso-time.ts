/** `2026-11-20T20:36:38.000Z` for epoch milliseconds; the one place outside which nobody formats a date. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
