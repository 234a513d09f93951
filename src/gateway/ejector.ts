import type { Clock, Event } from '../core/ports.ts';
import type { EjectionReason, EjectionSignal } from '../core/signals.ts';
import { emitter } from '../lib/emitter.ts';
import { mayEject } from './ejection.ts';
import { CLOSED, OPEN } from './gate.ts';
import type { Lane, OriginState } from './lane.ts';
import type { CompiledRoute, CompiledTable, CompiledTarget } from './routes.ts';

/** What an address does to one application it does to all: nobody answers there, whoever asks. */
const OF_THE_ADDRESS: ReadonlySet<EjectionReason> = new Set([
  'refused',
  'connect-reset',
  'connect-timeout',
  'tls',
  'stall',
]);

/** Words of others about origins we do not know yet; more of them than anybody has origins are not kept. */
const MOST_EARLY = 1_000;
const LONGEST_MS = 300_000;

/** Opens gates, if the load has somewhere to go, and tells the other workers. */
export class Ejector {
  readonly onEjection: Event<EjectionSignal>;
  readonly #emitter = emitter<EjectionSignal>();
  readonly #clock: Clock;
  readonly #worker: number;
  readonly #startedAt: number;
  readonly #table: () => CompiledTable;
  /** Heard before the table or the name server told us of the origin. */
  #early: EjectionSignal[] = [];

  constructor(clock: Clock, worker: number, table: () => CompiledTable) {
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#worker = worker;
    this.#table = table;
    this.onEjection = this.#emitter.event;
  }

  /** True when a gate was opened that was not. */
  eject(lane: Lane, reason: EjectionReason): boolean {
    const now = this.#clock.monotonic();
    const whole = OF_THE_ADDRESS.has(reason);
    let opened: Lane | undefined;
    for (const each of whole ? lane.origin.lanes : [lane]) {
      // Requests that were under way when it was ejected fail one after the other; that is one ejection.
      if (each.gate.state === OPEN && now < each.gate.until) continue;
      if (!this.#allowed(each)) continue;
      each.gate.open(now, reason);
      opened = each;
    }
    if (opened !== undefined) this.#tell(opened, reason, whole, opened.gate.until - now);
    return opened !== undefined;
  }

  readmitted(lane: Lane): void {
    this.#tell(lane, 'readmitted', false, 0);
  }

  /**
   * What another worker found, also long ago when we have only just started. Its word counts like ours, and so does
   * the rule about the last origin. A time that is over leaves the gate open to a trial: nobody has said that one went
   * well.
   */
  apply(origins: Iterable<OriginState>, signal: EjectionSignal): void {
    // Our own word comes back to nobody; what a predecessor with our number said is news to us.
    if (signal.worker === this.#worker && signal.at >= this.#startedAt) return;
    if (this.#applyTo(origins, signal)) return;
    if (this.#early.length >= MOST_EARLY) this.#early.shift();
    this.#early.push(signal);
  }

  /** After a change of the table or of a name: what was said of origins that are new to us. */
  applyEarly(origins: Iterable<OriginState>): void {
    if (this.#early.length === 0) return;
    const now = this.#clock.now();
    const known = [...origins];
    // In the order in which they were said: a later word may take an earlier one back.
    const early = this.#early;
    this.#early = early.filter((signal) => !this.#applyTo(known, signal) && isStillTrue(signal, now));
  }

  /** False when we know nothing it could mean. */
  #applyTo(origins: Iterable<OriginState>, signal: EjectionSignal): boolean {
    const now = this.#clock.monotonic();
    const until = now + (signal.until - this.#clock.now());
    let known = false;
    for (const origin of origins) {
      if (origin.wire.id !== signal.origin) continue;
      if (signal.address !== undefined && signal.address !== origin.address) continue;
      for (const lane of origin.lanes) {
        if (signal.application !== undefined && signal.application !== lane.application) continue;
        if (signal.release !== undefined && signal.release !== lane.release) continue;
        known = true;
        if (signal.reason === 'readmitted') lane.gate.tryAgain(now);
        else if (this.#allowed(lane)) lane.gate.openUntil(until, signal.reason, signal.times);
      }
    }
    return known;
  }

  #tell(lane: Lane, reason: EjectionReason, whole: boolean, forMs: number): void {
    const at = this.#clock.now();
    const { address } = lane.origin;
    this.#emitter.fire({
      kind: 'ejection',
      at,
      worker: this.#worker,
      platform: lane.origin.platform,
      origin: lane.id,
      ...(whole ? {} : { application: lane.application }),
      ...(whole || lane.release === undefined ? {} : { release: lane.release }),
      ...(address === undefined ? {} : { address }),
      ...(reason !== 'readmitted' && this.#othersServe(lane, whole) ? { partly: true } : {}),
      ...(reason === 'readmitted' ? {} : { times: lane.gate.times }),
      reason,
      until: Math.round(at + forMs),
    });
  }

  /** Does another address of the same name still take requests? */
  #othersServe(lane: Lane, whole: boolean): boolean {
    if (lane.origin.address === undefined) return false;
    return this.#table().routes.some((route) =>
      route.targets.some(({ lanes }) =>
        lanes.some(
          (other) =>
            other.id === lane.id &&
            other.origin !== lane.origin &&
            other.gate.state === CLOSED &&
            (whole || other.application === lane.application),
        ),
      ),
    );
  }

  #allowed(lane: Lane): boolean {
    let known = false;
    for (const route of this.#table().routes) {
      const own = targetOf(route, lane);
      if (own === undefined) continue;
      known = true;
      const siblings = own.lanes.filter((other) => other !== lane && other.gate.state === CLOSED).length;
      const elsewhere = route.targets.some(
        (target) =>
          target !== own && !target.trial && target.lanes.some((other) => other.gate.state === CLOSED),
      );
      if (!mayEject(siblings, elsewhere)) return false;
    }
    return known;
  }
}

/** A draining platform that clients with a session still use is in no list of targets, and may fail like any other. */
function targetOf(route: CompiledRoute, lane: Lane): CompiledTarget | undefined {
  const has = ({ lanes }: CompiledTarget): boolean => lanes.includes(lane);
  const own = route.targets.find(has);
  if (own !== undefined) return own;
  for (const { targets } of route.sessions?.staying.values() ?? []) {
    const staying = targets.find(has);
    if (staying !== undefined) return staying;
  }
  return undefined;
}

/** A word that takes something back has no end of its own, and needs none for longer than the longest ejection. */
function isStillTrue({ reason, at, until }: EjectionSignal, now: number): boolean {
  return reason === 'readmitted' ? now < at + LONGEST_MS : now < until;
}
