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
    const lanes = new Map<string, Lane>();
    const origins = new Map<string, OriginState>();
    const compiled = compileTable(table, (application, target, { id, url }) => {
      const wire = wireOrigin(id, url, target.sni);
      let origin = origins.get(wire.key) ?? this.#origins.get(wire.key);
      // The same name at another address is another origin.
      if (origin === undefined || !sameAddress(origin.wire, wire))
        origin = new OriginState(wire, target.platform);
      origins.set(wire.key, origin);
      const key = `${application} ${wire.key}`;
      let lane = lanes.get(key) ?? this.#lanes.get(key) ?? this.#returning(application, origin);
      if (lane === undefined || lane.origin !== origin) {
        lane = new Lane(application, origin, this.#settings, this.#random);
        origin.lanes.add(lane);
      }
      this.#leaving.delete(lane);
      lanes.set(key, lane);
      return lane;
    });
    for (const [key, lane] of this.#lanes) {
      if (lanes.get(key) === lane) continue;
      lane.origin.lanes.delete(lane);
      if (lane.gate.inFlight > 0) this.#leaving.add(lane);
    }
    for (const [key, origin] of this.#origins) {
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

  /** An origin that comes back before its old exchanges have ended is the one we know. */
  #returning(application: string, origin: OriginState): Lane | undefined {
    for (const lane of this.#leaving) {
      if (lane.application === application && lane.origin === origin) return lane;
    }
    return undefined;
  }
}

function sameAddress(a: WireOrigin, b: WireOrigin): boolean {
  return a.hostname === b.hostname && a.port === b.port && a.secure === b.secure;
}
