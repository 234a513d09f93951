import type { Clock, Event } from '../core/ports.ts';
import type { EjectionReason, EjectionSignal } from '../core/signals.ts';
import { emitter } from '../lib/emitter.ts';
import { mayEject } from './ejection.ts';
import { CLOSED, OPEN } from './gate.ts';
import type { Lane, OriginState } from './lane.ts';
import type { CompiledTable } from './routes.ts';

/** What an address does to one application it does to all: nobody answers there, whoever asks. */
const OF_THE_ADDRESS: ReadonlySet<EjectionReason> = new Set([
  'refused',
  'connect-reset',
  'connect-timeout',
  'tls',
  'stall',
]);

/** Opens gates, if the load has somewhere to go, and tells the other workers. */
export class Ejector {
  readonly onEjection: Event<EjectionSignal>;
  readonly #emitter = emitter<EjectionSignal>();
  readonly #clock: Clock;
  readonly #worker: number;
  readonly #table: () => CompiledTable;

  constructor(clock: Clock, worker: number, table: () => CompiledTable) {
    this.#clock = clock;
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

  /** What another worker found. Its word counts like ours, and so does the rule about the last origin. */
  apply(origins: Iterable<OriginState>, signal: EjectionSignal): void {
    if (signal.worker === this.#worker) return;
    const now = this.#clock.monotonic();
    const until = now + (signal.until - this.#clock.now());
    for (const origin of origins) {
      if (origin.wire.id !== signal.origin) continue;
      for (const lane of origin.lanes) {
        if (signal.application !== undefined && signal.application !== lane.application) continue;
        if (signal.reason === 'readmitted') lane.gate.tryAgain(now);
        else if (this.#allowed(lane)) lane.gate.openUntil(until, signal.reason);
      }
    }
  }

  #tell(lane: Lane, reason: EjectionReason, whole: boolean, forMs: number): void {
    const at = this.#clock.now();
    this.#emitter.fire({
      kind: 'ejection',
      at,
      worker: this.#worker,
      platform: lane.origin.platform,
      origin: lane.id,
      ...(whole ? {} : { application: lane.application }),
      reason,
      until: Math.round(at + forMs),
    });
  }

  #allowed(lane: Lane): boolean {
    let known = false;
    for (const route of this.#table().routes) {
      const own = route.targets.find((target) => target.lanes.includes(lane));
      if (own === undefined) continue;
      known = true;
      const siblings = own.lanes.filter((other) => other !== lane && other.gate.state === CLOSED).length;
      const elsewhere = route.targets.some(
        (target) => target !== own && target.lanes.some((other) => other.gate.state === CLOSED),
      );
      if (!mayEject(siblings, elsewhere)) return false;
    }
    return known;
  }
}
