/** Did the system say so: `hasCode(error, 'ENOENT')`. Not by its class: an error may come from another realm. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
