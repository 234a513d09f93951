import type { Random } from '../core/ports.ts';
import type { RoutingTable } from '../core/routing-table.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { Lane, OriginState, wireOrigin } from './lane.ts';
import { type CompiledTable, compileTable } from './routes.ts';
import type { WireOrigin } from './wire.ts';

/**
 * Lanes and origins by name. They outlive tables: an origin that stays keeps its connections, its latencies and its
 * ejection; one that left is kept until its last exchange has ended.
 */
export class LaneRegistry {
  readonly #settings: GatewaySettings;
  readonly #random: Random;
  readonly #retire: (origin: WireOrigin) => void;
  #lanes = new Map<string, Lane>();
  #origins = new Map<string, OriginState>();
  readonly #leaving = new Set<Lane>();

  constructor(settings: GatewaySettings, random: Random, retire: (origin: WireOrigin) => void) {
    this.#settings = settings;
    this.#random = random;
    this.#retire = retire;
  }

  get origins(): Iterable<OriginState> {
    return this.#origins.values();
  }

  /** In the table, or still in use. */
  *lanes(): Iterable<Lane> {
    yield* this.#lanes.values();
    yield* this.#leaving;
  }

  get drained(): boolean {
    return this.#leaving.size === 0;
  }

  isLeaving(lane: Lane): boolean {
    return this.#leaving.has(lane);
  }

  compile(table: RoutingTable): CompiledTable {
    const before = this.#lanes;
    const originsBefore = this.#origins;
    const lanes = new Map<string, Lane>();
    const origins = new Map<string, OriginState>();

    const compiled = compileTable(table, (application, target, { id, url }) => {
      const wire = wireOrigin(id, url, target);
      let origin = origins.get(wire.key) ?? originsBefore.get(wire.key);
      if (origin === undefined || !sameAddress(origin.wire, wire))
        origin = new OriginState(wire, target.platform);
      origins.set(wire.key, origin);
      // Two releases behind one router are two lanes: the old one drains while the new one proves itself.
      const key = [application, wire.key, target.hostHeader ?? '', target.release ?? ''].join(' ');
      let lane = lanes.get(key) ?? before.get(key);
      if (lane === undefined || lane.origin !== origin) {
        lane = new Lane(application, origin, this.#settings, this.#random);
        origin.lanes.add(lane);
      }
      lanes.set(key, lane);
      return lane;
    });

    for (const [key, lane] of before) {
      if (lanes.get(key) === lane) continue;
      lane.origin.lanes.delete(lane);
      if (lane.gate.inFlight > 0) this.#leaving.add(lane);
    }
    for (const [key, origin] of originsBefore) {
      if (origins.get(key) !== origin) this.#retire(origin.wire);
    }
    this.#lanes = lanes;
    this.#origins = origins;
    return compiled;
  }

  /** An exchange has left this lane. True when it was the last one on anything that has left the table. */
  left(lane: Lane): boolean {
    if (lane.gate.inFlight > 0 || !this.#leaving.delete(lane)) return false;
    return this.#leaving.size === 0;
  }
}

/** The same name at another address, or proven by another authority, is another origin. */
function sameAddress(a: WireOrigin, b: WireOrigin): boolean {
  return a.hostname === b.hostname && a.port === b.port && a.secure === b.secure && a.ca === b.ca;
}
