/**
 * A stretch of time that comes back: a cron expression in a time zone says when it opens, a duration how long it
 * lasts. Compiled where the configuration is read, because calendars need a library; asking is pure.
 */
export interface Window {
  /** As written, for people: `0 2 * * SUN for 2h (Europe/Berlin)`. */
  readonly text: string;
  /** `now` in epoch milliseconds. */
  isOpen(now: number): boolean;
  /** Epoch milliseconds of the next opening; undefined when it never opens again. */
  opensNext(now: number): number | undefined;
}
