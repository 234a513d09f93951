/** `Fri, 20 Nov 2026 20:36:38 GMT` (RFC 9110 §5.6.7) for epoch milliseconds. */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
