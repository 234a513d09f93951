import { SluiceError } from '../../core/errors.ts';
import type { LoggedEvent } from '../../core/events.ts';
import type { Clock } from '../../core/ports.ts';

/** The server's events as they come, and waiting for one. */
export interface Timeline {
  accept(event: LoggedEvent): void;
  readonly events: readonly LoggedEvent[];
  /** The first event at or after `from` that fits; waits up to `withinMs` for it. */
  first(
    what: string,
    from: number,
    fits: (event: LoggedEvent) => boolean,
    withinMs: number,
  ): Promise<LoggedEvent>;
  count(from: number, fits: (event: LoggedEvent) => boolean): number;
}

export function createTimeline(clock: Clock): Timeline {
  const events: LoggedEvent[] = [];
  const find = (from: number, fits: (event: LoggedEvent) => boolean): LoggedEvent | undefined =>
    events.find((event) => event.at >= from && fits(event));
  return {
    events,
    accept: (event) => void events.push(event),
    count: (from, fits) => events.filter((event) => event.at >= from && fits(event)).length,
    async first(what, from, fits, withinMs) {
      const deadline = clock.now() + withinMs;
      for (;;) {
        const found = find(from, fits);
        if (found) return found;
        if (clock.now() > deadline) {
          throw new SluiceError('NOT_HEALTHY', `the demo waited ${withinMs / 1000} s for: ${what}`, {
            remedy: 'run it again with SLUICE_LOG=debug and read what the server says',
          });
        }
        await clock.sleep(20);
      }
    },
  };
}

/** A worker or the engine noticed that this platform is gone. */
export function noticed(platform: string): (event: LoggedEvent) => boolean {
  return (event) =>
    (event.type === 'origin.ejected' && event.platform === platform) ||
    (event.type === 'verdict.changed' && event.platform === platform && event.to === 'down');
}

/** A table gives this platform at least this share. */
export function hasShare(platform: string, least: number): (event: LoggedEvent) => boolean {
  return (event) => event.type === 'table.published' && (event.shares['shop']?.[platform] ?? 0) >= least;
}

export function lostShare(platform: string): (event: LoggedEvent) => boolean {
  return (event) => event.type === 'table.published' && (event.shares['shop']?.[platform] ?? 0) === 0;
}

/** A decision gave any platform another share. */
export function movedTraffic(event: LoggedEvent): boolean {
  return (
    event.type === 'decision.made' &&
    Object.keys({ ...event.before, ...event.shares }).some(
      (platform) => Math.abs((event.before[platform] ?? 0) - (event.shares[platform] ?? 0)) > 0.001,
    )
  );
}

/** What the newest table gives a platform. */
export function shareNow(events: readonly LoggedEvent[], platform: string): number {
  const last = events.findLast((event) => event.type === 'table.published');
  return last?.type === 'table.published' ? (last.shares['shop']?.[platform] ?? 0) : 0;
}
