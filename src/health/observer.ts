import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Dispose } from '../core/ports.ts';
import type { PlatformSignal } from '../core/signals.ts';
import { inBackground } from '../lib/background.ts';
import { ReadPutOff } from '../lib/read-put-off.ts';
import type { MonitorDeps, WatchedPlatform } from './monitor.ts';

const EVERY_MS = 2_000;
/** A platform that does not answer is asked less and less often, at least this often. */
const LONGEST_WAIT_MS = 30_000;
/** While the account's limit is nearly used up: the longest that nothing is read. */
const LONGEST_PUT_OFF_MS = 120_000;
const TIMEOUT_MS = 10_000;
const JITTER = 0.1;
/** Changes come in bursts: what they came to is read, not each of them. */
const SETTLE_MS = 100;

export interface Observer {
  start(): void;
  /** These instead; who is new is read at once. */
  reconfigure(platforms: readonly WatchedPlatform[]): void;
  /** Undefined when nobody observes this. A read that is under way is not an answer to "now": another follows. */
  now(application: ApplicationName, platform: PlatformName): Promise<PlatformSignal | undefined>;
  close(): void;
}

interface Turn extends WatchedPlatform {
  failures: number;
  timer: Dispose;
  /** Set while a change waits to be read. */
  settling: Dispose | undefined;
  /** Ends hearing of changes, where the platform tells of them. */
  unhear: Dispose;
  /** Nobody wants to hear of it any more, not even of a read under way. */
  isOver: boolean;
}

/** Reads each platform's own view of each application, again and again; a failed read is a signal too. */
export function createObserver(deps: MonitorDeps, fire: (signal: PlatformSignal) => void): Observer {
  const { clock, random, logger } = deps;
  const everyMs = deps.observeEveryMs ?? EVERY_MS;
  // One controller a read, not AbortSignal.any over a long-lived one: that would keep every read for ever.
  const reads = new Set<AbortController>();
  let closed = false;
  let started = false;
  let turns = deps.platforms.map(turnOf);

  /** `urgent`: somebody waits for it; no such read is put off. */
  async function observe(turn: Turn, urgent = false): Promise<PlatformSignal | undefined> {
    turn.timer();
    turn.settling?.();
    turn.settling = undefined;
    const signal = await read(turn, urgent);
    if (signal instanceof ReadPutOff) {
      putOff(turn, signal);
      return undefined;
    }
    if (closed || turn.isOver) return signal;
    turn.failures = signal.observation === undefined ? turn.failures + 1 : 0;
    const wait = Math.min(LONGEST_WAIT_MS, everyMs * 2 ** turn.failures);
    // Two reads may have run at once (`now`); one turn follows.
    turn.timer();
    turn.timer = clock.after(wait * (1 - JITTER + 2 * JITTER * random()), () => void observe(turn));
    fire(signal);
    return signal;
  }

  /** The platform was not asked: that is no signal, good or bad, and what is known of it grows old meanwhile. */
  function putOff(turn: Turn, { waitMs }: ReadPutOff): void {
    if (closed || turn.isOver) return;
    turn.timer();
    const wait = Math.min(LONGEST_PUT_OFF_MS, Math.max(everyMs, waitMs));
    turn.timer = clock.after(wait, () => void observe(turn));
  }

  async function read(
    { application, provider }: Turn,
    urgent: boolean,
  ): Promise<PlatformSignal | ReadPutOff> {
    const abort = new AbortController();
    reads.add(abort);
    let late = false;
    const expire = clock.after(TIMEOUT_MS, () => {
      late = true;
      abort.abort(new Error('too late'));
    });
    const { platform } = provider;
    try {
      const context = { signal: abort.signal, now: clock.now, log: () => undefined };
      // The race, so that a provider which overlooks the signal cannot blind us for good.
      const observation = await Promise.race([
        inBackground(() => provider.observe(context, application), { urgent }),
        rejected(abort.signal),
      ]);
      return { kind: 'platform', at: clock.now(), application, platform, observation };
    } catch (caught) {
      const error = SluiceError.from(caught);
      if (error instanceof ReadPutOff) return error;
      const apiError = late ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message;
      logger.debug({ platform, application, error: apiError }, 'a platform could not be observed');
      const fault = late ? 'timeout' : error.class;
      return {
        ...{ kind: 'platform', at: clock.now(), application, platform, observation: undefined, apiError },
        ...(fault === undefined ? {} : { apiFault: fault }),
      };
    } finally {
      expire();
      reads.delete(abort);
    }
  }

  function begin(turn: Turn): void {
    turn.timer = clock.after(0, () => void observe(turn));
    const { provider, application } = turn;
    turn.unhear = provider.changes?.(application, () => heard(turn)) ?? turn.unhear;
  }

  function heard(turn: Turn): void {
    turn.settling ??= clock.after(SETTLE_MS, () => {
      turn.settling = undefined;
      void observe(turn);
    });
  }

  function end(turn: Turn): void {
    turn.timer();
    turn.settling?.();
    turn.unhear();
  }

  return {
    start() {
      started = true;
      for (const turn of turns) begin(turn);
    },
    reconfigure(platforms) {
      const before = turns;
      turns = platforms.map(
        (watched) =>
          before.find(
            ({ application, provider }) =>
              application === watched.application && provider === watched.provider,
          ) ?? turnOf(watched),
      );
      for (const turn of before) {
        if (turns.includes(turn)) continue;
        turn.isOver = true;
        end(turn);
      }
      for (const turn of turns) if (started && !before.includes(turn)) begin(turn);
    },
    async now(application, platform) {
      const turn = turns.find((t) => t.application === application && t.provider.platform === platform);
      return turn && observe(turn, true);
    },
    close() {
      closed = true;
      for (const abort of reads) abort.abort(new Error('closed'));
      for (const turn of turns) end(turn);
    },
  };
}

function turnOf(watched: WatchedPlatform): Turn {
  const nothing = (): void => undefined;
  return {
    ...watched,
    failures: 0,
    timer: nothing,
    settling: undefined,
    unhear: nothing,
    isOver: false,
  };
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
