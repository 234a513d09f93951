/** How a process ended, in words: `killed by SIGKILL`, `exited with code 1`. */
export function exitReason(code: number | null, signal: string | null): string {
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? 'could not be started' : `exited with code ${code}`;
}
