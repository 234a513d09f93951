import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { originId } from '../core/ids.ts';
import type { Clock, Dispose, Event, Logger, Random, Runnable } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { PlatformSignal, ProbeSignal } from '../core/signals.ts';
import type { WatchedOrigin } from '../core/verdict.ts';
import { emitter } from '../lib/emitter.ts';
import { createObserver } from './observer.ts';
import type { Probe } from './probes.ts';

export interface WatchedPlatform {
  readonly application: ApplicationName;
  readonly provider: PlatformProvider;
}

export interface Monitor extends Runnable {
  /** What it found out, as it finds it out. */
  readonly onSignal: Event<ProbeSignal | PlatformSignal>;
  /** Probes exactly these from now on; those that were watched already keep their rhythm. */
  watch(origins: readonly WatchedOrigin[]): void;
  /** Reads exactly these platforms from now on; those that were read already keep their rhythm. */
  reconfigure(platforms: readonly WatchedPlatform[]): void;
  /** Reads a platform now instead of at its next turn; resolves with what it signalled. */
  observeNow(application: ApplicationName, platform: PlatformName): Promise<PlatformSignal>;
}

export interface MonitorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly probe: Probe;
  readonly platforms: readonly WatchedPlatform[];
  /** Between two reads of a platform that answers; default 2 s. */
  readonly observeEveryMs?: number;
}

interface Watch {
  origin: WatchedOrigin;
  timer: Dispose;
}

/** Probes stray by this much, so that many origins are not asked in one instant. */
const JITTER = 0.1;

/** Looks at everything from the outside: origins by probes, platforms by their API. Judges nothing. */
export function createMonitor(deps: MonitorDeps): Monitor {
  const { clock, random, probe } = deps;
  const signals = emitter<ProbeSignal | PlatformSignal>();
  const watches = new Map<string, Watch>();
  const observer = createObserver(deps, (signal) => signals.fire(signal));
  let wanted: readonly WatchedOrigin[] = [];
  let running = false;

  function watch(origins: readonly WatchedOrigin[]): void {
    wanted = origins;
    if (!running) return;
    const gone = new Set(watches.keys());
    for (const origin of origins) {
      const key = keyOf(origin);
      gone.delete(key);
      const known = watches.get(key);
      if (known) known.origin = origin;
      else begin(key, origin);
    }
    for (const key of gone) {
      watches.get(key)?.timer();
      watches.delete(key);
    }
  }

  function begin(key: string, origin: WatchedOrigin): void {
    const started: Watch = { origin, timer: () => undefined };
    watches.set(key, started);
    // The first at once: at start everything waits for it.
    started.timer = clock.after(0, () => void turn(key, started));
  }

  /** One probe; the next is set only when it is over, so one origin has one in flight. */
  async function turn(key: string, watch: Watch): Promise<void> {
    const { origin } = watch;
    const begun = clock.monotonic();
    const result = await probe(origin, origin.health);
    if (watches.get(key) !== watch) return;
    const wait = origin.health.everyMs * (1 - JITTER + 2 * JITTER * random()) - (clock.monotonic() - begun);
    watch.timer = clock.after(Math.max(0, wait), () => void turn(key, watch));
    signals.fire({
      kind: 'probe',
      at: clock.now(),
      application: origin.application,
      platform: origin.platform,
      origin: originId(origin.platform, origin.url),
      ...result,
    });
  }

  return {
    name: 'monitor',
    onSignal: signals.event,
    watch,
    reconfigure: (platforms) => observer.reconfigure(platforms),
    async observeNow(application, platform) {
      const signal = await observer.now(application, platform);
      if (signal) return signal;
      throw new SluiceError('BUG', `${application} on ${platform} is not observed`);
    },
    async start() {
      running = true;
      watch(wanted);
      observer.start();
    },
    async close() {
      running = false;
      for (const { timer } of watches.values()) timer();
      watches.clear();
      observer.close();
    },
  };
}

function keyOf({ application, platform, url, hostHeader }: WatchedOrigin): string {
  return JSON.stringify([application, platform, url, hostHeader]);
}
