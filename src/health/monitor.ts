import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { originId } from '../core/ids.ts';
import type { Clock, Dispose, Event, Logger, Random, Runnable } from '../core/ports.ts';
import type { PlatformProvider } from '../core/provider.ts';
import type { PlatformSignal, ProbeSignal } from '../core/signals.ts';
import type { WatchedOrigin } from '../core/verdict.ts';
import { emitter } from '../lib/emitter.ts';
import { KeptConnection } from './kept-connection.ts';
import { createObserver } from './observer.ts';
import type { Probe } from './probes.ts';
import { type Round, roundsOf, rulesOf } from './rounds.ts';

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

interface Turn {
  readonly kept: KeptConnection;
  round: Round;
  timer: Dispose;
  busy: boolean;
  ok: boolean;
}

/** Probes stray by this much, so that many origins are not asked in one instant. */
const JITTER = 0.1;
/** Thousands of first probes in one moment would wait for one another until they time out: so many begin together. */
const AT_ONCE = 50;
const SPREAD_MS = 10;

/** Looks at everything from the outside: origins by probes, platforms by their API. Judges nothing. */
export function createMonitor(deps: MonitorDeps): Monitor {
  const { clock, random, probe } = deps;
  const signals = emitter<ProbeSignal | PlatformSignal>();
  const turns = new Map<string, Turn>();
  const observer = createObserver(deps, (signal) => signals.fire(signal));
  let wanted: readonly WatchedOrigin[] = [];
  let running = false;

  function watch(origins: readonly WatchedOrigin[]): void {
    wanted = origins;
    if (!running) return;
    const rounds = roundsOf(origins);
    for (const [key, turn] of turns) if (!rounds.has(key)) end(turn);
    let begun = 0;
    for (const [key, round] of rounds) {
      const known = turns.get(key);
      if (known) known.round = round;
      else begin(round, Math.floor(begun++ / AT_ONCE) * SPREAD_MS);
    }
  }

  function begin(round: Round, afterMs: number): void {
    const kept = new KeptConnection();
    const started: Turn = { round, kept, timer: () => undefined, busy: false, ok: true };
    turns.set(round.key, started);
    // The first as soon as it can be: at start everything waits for it.
    started.timer = clock.after(afterMs, () => void take(started));
  }

  function end({ round, timer, kept }: Turn): void {
    turns.delete(round.key);
    timer();
    kept.close();
  }

  /** One probe; the next is set only when it is over, so one origin has one in flight. */
  async function take(turn: Turn): Promise<void> {
    const { kind, origins } = turn.round;
    const [first] = origins;
    const rules = rulesOf(turn.round);
    if (first === undefined || rules === undefined) return;
    turn.timer();
    turn.busy = true;
    const begun = clock.monotonic();
    const result = await probe(first, rules, kind, turn.kept);
    turn.busy = false;
    const { round } = turn;
    if (turns.get(round.key) !== turn) return;
    const wait = round.everyMs * (1 - JITTER + 2 * JITTER * random()) - (clock.monotonic() - begun);
    turn.timer = clock.after(Math.max(0, wait), () => void take(turn));
    if (turn.ok && !result.ok) {
      lookCloser(round);
      doubtKept(round);
    }
    turn.ok = result.ok;
    const at = clock.now();
    for (const { application, platform, url, trial } of round.origins) {
      const origin = originId(platform, url, trial);
      signals.fire({ kind: 'probe', at, application, platform, origin, ...result });
    }
  }

  /** A health path has failed: whether its address still answers must be known now, not in two seconds. */
  function lookCloser({ kind, address }: Round): void {
    if (kind !== 'http') return;
    for (const beside of ['tcp', 'control']) {
      const turn = turns.get(`${beside} ${address}`);
      if (turn !== undefined && !turn.busy) void take(turn);
    }
  }

  /** Nobody is let in, or nobody at home: connections from before would go on saying that all is well. */
  function doubtKept({ kind, address }: Round): void {
    if (kind !== 'tcp' && kind !== 'control') return;
    for (const { round, kept } of turns.values()) if (round.address === address) kept.doubt();
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
      for (const turn of turns.values()) end(turn);
      observer.close();
    },
  };
}
