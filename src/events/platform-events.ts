import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { PlatformEvent } from '../core/platform-events.ts';
import type { Clock, Dispose, EventLog, Logger, Runnable } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { Settings } from '../core/settings.ts';
import { inBackground } from '../lib/background.ts';

const EVERY_MS = 15_000;
/** A platform that does not tell is asked less and less often. */
const LONGEST_WAIT_MS = 5 * 60_000;
const TIMEOUT_MS = 15_000;
/** Of one look; more would push everything else out of the log. */
const MOST = 30;
/** How far back the very first look goes: what led to a start of ours is of interest, last week is not. */
const FIRST_LOOK_MS = 10 * 60_000;
const KNOWN = 500;

export interface PlatformEventsDeps {
  readonly settings: Pick<Settings, 'applications'>;
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
}

interface Place {
  readonly application: ApplicationName;
  readonly platform: PlatformName;
  cursor: string | undefined;
  since: number;
  failures: number;
  /** Not before. */
  nextAt: number;
  working: boolean;
}

/** Reads slowly what platforms themselves tell, and puts it into our log, each once. Deployments' calls go first. */
export function createPlatformEvents(deps: PlatformEventsDeps): Runnable {
  const { settings, providers, clock, logger, events } = deps;
  const places = new Map<string, Place>();
  // One controller a read, not AbortSignal.any over a long-lived one: that would keep every read for ever.
  const reads = new Set<AbortController>();
  let closed = false;
  let known: Set<string> | undefined;
  let stop: Dispose = () => undefined;

  /** Over a restart of ours too: the log remembers. */
  function isKnown(id: string): boolean {
    known ??= new Set(
      events.since(0).flatMap((event) => (event.type === 'platform.event' ? [keyOf(event)] : [])),
    );
    if (known.has(id)) return true;
    known.add(id);
    if (known.size > 4 * KNOWN) known = new Set([...known].slice(-KNOWN));
    return false;
  }

  function placesNow(): readonly Place[] {
    const now = clock.now();
    const wanted = new Map<string, Place>();
    for (const { name: application, targets } of Object.values(settings.applications)) {
      for (const { platform } of targets) {
        if (providers.get(platform)?.events === undefined) continue;
        const key = `${application} ${platform}`;
        const fresh = {
          cursor: undefined,
          since: now - FIRST_LOOK_MS,
          failures: 0,
          nextAt: now,
          working: false,
        };
        wanted.set(key, places.get(key) ?? { application, platform, ...fresh });
      }
    }
    places.clear();
    for (const [key, place] of wanted) places.set(key, place);
    return [...places.values()];
  }

  async function look(place: Place): Promise<void> {
    const { application, platform, cursor, since } = place;
    place.working = true;
    const read = new AbortController();
    reads.add(read);
    const expire = clock.after(TIMEOUT_MS, () => read.abort(new Error('too late')));
    try {
      const context = { signal: read.signal, now: clock.now, log: () => undefined };
      const query = { most: MOST, since, ...(cursor === undefined ? {} : { after: cursor }) };
      const page = await inBackground(async () =>
        providers.get(platform)?.events?.(context, application, query),
      );
      if (page === undefined || closed) return;
      for (const event of page.events) tell(application, platform, event);
      place.cursor = page.cursor;
      place.failures = 0;
    } catch (caught) {
      place.failures += 1;
      const error = SluiceError.from(caught).message;
      logger.debug({ application, platform, error }, 'a platform did not tell what happened there');
    } finally {
      expire();
      reads.delete(read);
      place.working = false;
      place.nextAt = clock.now() + Math.min(LONGEST_WAIT_MS, EVERY_MS * 2 ** place.failures);
    }
  }

  function tell(application: ApplicationName, platform: PlatformName, event: PlatformEvent): void {
    const { id, kind, text, at: platformAt, count } = event;
    const told = { type: 'platform.event', application, platform, id, kind, text, platformAt } as const;
    if (isKnown(keyOf(told))) return;
    events.append({ ...told, ...(count === undefined ? {} : { count }) });
  }

  function turn(): void {
    const now = clock.now();
    for (const place of placesNow()) if (!place.working && place.nextAt <= now) void look(place);
  }

  return {
    name: 'platform events',
    async start() {
      turn();
      stop = clock.every(1_000, turn);
    },
    async close() {
      stop();
      closed = true;
      for (const read of reads) read.abort(new Error('closed'));
    },
  };
}

function keyOf({ platform, id }: { readonly platform: PlatformName; readonly id: string }): string {
  return `${platform} ${id}`;
}
