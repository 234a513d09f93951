import { type DrainCounts, drainPlace, type LogDrainSettings } from '../core/log-drain.ts';
import type { Logs } from '../core/logs.ts';
import type { Clock, Logger, Runnable } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { type Drain, startDrain } from './drain.ts';
import { createSender } from './sender.ts';

const FIRST_LINES = 10_000;

export interface Drains extends Runnable {
  /** The configuration changed: what is the same goes on undisturbed. */
  renew(): void;
  counts(): readonly DrainCounts[];
}

interface DrainsDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One for each application that has one configured. It begins with what is printed from now on. */
export function createDrains({ settings, logs, clock, logger }: DrainsDeps): Drains {
  const running = new Map<string, { readonly of: string; readonly drain: Drain }>();
  const ending = new Set<Promise<void>>();

  function end(name: string): void {
    const one = running.get(name);
    running.delete(name);
    if (one === undefined) return;
    const ended = one.drain.close().catch((error: unknown) => {
      logger.warn({ application: name, error: String(error) }, 'a log drain closed badly');
    });
    ending.add(ended);
    void ended.then(() => ending.delete(ended));
  }

  function begin(application: string, drain: LogDrainSettings): void {
    const place = drainPlace(drain.to);
    // The configuration lets no other through.
    if (place === undefined) return;
    const wish = {
      application,
      platforms: undefined,
      sources: drain.sources,
      lines: FIRST_LINES,
      follow: true,
    };
    const since = clock.now();
    running.set(application, {
      of: fingerprint(application),
      drain: startDrain({
        ...{ application, clock, logger },
        entries: (signal) => logs.logs({ ...wish, since }, signal),
        sender: createSender(place, drain),
      }),
    });
  }

  /** Other targets are other streams. */
  function fingerprint(name: string): string {
    const { logDrain, targets } = settings.applications[name] ?? {};
    return JSON.stringify([logDrain, targets?.map(({ platform }) => platform)]);
  }

  function renew(): void {
    for (const [name, { of }] of running) if (of !== fingerprint(name)) end(name);
    for (const { name, logDrain } of Object.values(settings.applications)) {
      if (logDrain !== undefined && !running.has(name)) begin(name, logDrain);
    }
  }

  return {
    name: 'log drains',
    renew,
    counts: () => [...running.values()].map(({ drain }) => drain.counts()),
    async start() {
      renew();
    },
    async close() {
      for (const name of running.keys()) end(name);
      await Promise.all(ending);
    },
  };
}
