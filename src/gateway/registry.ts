import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import type { RoutingTable, TableOrigin, TableTarget } from '../core/routing-table.ts';
import type { GatewaySettings, UpstreamTls } from '../core/settings.ts';
import { Lane, nameIn, OriginState, wireOrigin } from './lane.ts';
import { RouteTallies } from './route-tally.ts';
import { type CompiledTable, compileTable, type LanesFor } from './routes.ts';
import type { WireOrigin } from './wire.ts';

export interface RegistryDeps {
  readonly settings: GatewaySettings;
  readonly random: Random;
  /** What a name stands for now; none: nobody knows. */
  readonly addresses: (name: string) => readonly string[];
  readonly retire: (origin: WireOrigin) => void;
}

/**
 * Lanes and origins by name. They outlive tables: an origin that stays keeps its connections, its latencies and its
 * ejection; one that left is kept until its last exchange has ended.
 */
export class LaneRegistry {
  readonly #deps: RegistryDeps;
  #settings: GatewaySettings;
  readonly #tallies = new RouteTallies();
  #lanes = new Map<string, Lane>();
  #origins = new Map<string, OriginState>();
  /**
   * Lanes in use that are in no table any more, with their places: what a table offers, whatever addresses its names
   * stand for.
   */
  readonly #leaving = new Map<Lane, string>();
  /** The same, where only the name stands for other addresses now: nobody waits for these. */
  readonly #rotated = new Map<Lane, string>();
  readonly #placeOf = new WeakMap<Lane, string>();

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#settings = deps.settings;
  }

  /** Other settings: what they say of TLS holds from the next table on, which may be the same one again. */
  tune(settings: GatewaySettings): void {
    this.#settings = settings;
    for (const lane of this.lanes()) lane.tune(settings);
  }

  get origins(): Iterable<OriginState> {
    return this.#origins.values();
  }

  /** In the table, or still in use. */
  *lanes(): Iterable<Lane> {
    yield* this.#lanes.values();
    yield* this.#leaving.keys();
    yield* this.#rotated.keys();
  }

  /** Requests that an application has on a platform right now. */
  inFlight(application: ApplicationName, platform: PlatformName): number {
    let count = 0;
    for (const lane of this.lanes()) {
      if (lane.application === application && lane.origin.platform === platform) count += lane.gate.inFlight;
    }
    return count;
  }

  get drained(): boolean {
    return this.#leaving.size === 0;
  }

  isLeaving(lane: Lane): boolean {
    return this.#leaving.has(lane);
  }

  /** Again for the same table when a name stands for other addresses. */
  compile(table: RoutingTable): CompiledTable {
    const before = this.#lanes;
    const originsBefore = this.#origins;
    const lanes = new Map<string, Lane>();
    const origins = new Map<string, OriginState>();
    const places = new Set<string>();

    const lanesFor: LanesFor = (application, target, tableOrigin) => {
      // Two releases behind one router are two lanes: the old one drains while the new one proves itself.
      const place = JSON.stringify([
        ...[application, tableOrigin.id, tableOrigin.url.startsWith('https:')],
        ...[target.sni ?? '', target.hostHeader ?? '', target.release ?? ''],
      ]);
      places.add(place);
      return this.#addressesOf(target, tableOrigin).map(({ wire, address }) => {
        let origin = origins.get(wire.key) ?? originsBefore.get(wire.key);
        if (origin === undefined || !sameAddress(origin.wire, wire))
          origin = new OriginState(wire, target.platform, address);
        origins.set(wire.key, origin);
        const key = `${place} ${wire.key}`;
        let lane = lanes.get(key) ?? before.get(key);
        if (lane === undefined || lane.origin !== origin) {
          lane = new Lane(application, origin, {
            settings: this.#settings,
            random: this.#deps.random,
            release: target.release,
            ...(target.trial === undefined ? {} : { trial: target.trial }),
          });
          origin.lanes.add(lane);
          this.#placeOf.set(lane, place);
        }
        lanes.set(key, lane);
        return lane;
      });
    };
    const compiled = compileTable(table, lanesFor, (route) => this.#tallies.of(route));
    this.#tallies.settle();

    for (const [key, lane] of before) {
      if (lanes.get(key) === lane) continue;
      lane.origin.lanes.delete(lane);
      if (lane.gate.inFlight > 0) this.#rotated.set(lane, this.#placeOf.get(lane) ?? '');
    }
    for (const [lane, place] of this.#rotated) {
      if (places.has(place)) continue;
      this.#rotated.delete(lane);
      this.#leaving.set(lane, place);
    }
    for (const [key, origin] of originsBefore) {
      if (origins.get(key) !== origin) this.#deps.retire(origin.wire);
    }
    this.#lanes = lanes;
    this.#origins = origins;
    return compiled;
  }

  /** An exchange has left this lane. True when it was the last one on anything that has left the table. */
  left(lane: Lane): boolean {
    if (lane.gate.inFlight > 0) return false;
    this.#rotated.delete(lane);
    return this.#leaving.delete(lane) && this.#leaving.size === 0;
  }

  /** A name is as many origins as it has addresses: each fails, and is ejected, by itself. */
  #addressesOf(
    target: TableTarget,
    { id, url }: TableOrigin,
  ): readonly { readonly wire: WireOrigin; readonly address: string | undefined }[] {
    const tls = this.#settings.upstreamTls?.[target.platform];
    const wish = { sni: target.sni, tls, ...(target.ca === undefined ? {} : { ca: target.ca }) };
    const name = nameIn(url);
    if (name === undefined) return [{ wire: wireOrigin(id, url, wish), address: undefined }];
    return this.#deps
      .addresses(name)
      .map((address) => ({ wire: wireOrigin(id, url, wish, address), address }));
  }
}

/** Every name in it that has to be looked up. */
export function namesIn(table: RoutingTable): ReadonlySet<string> {
  const names = new Set<string>();
  for (const route of table.routes) {
    for (const target of route.targets) {
      for (const { url } of target.origins) {
        const name = nameIn(url);
        if (name !== undefined) names.add(name);
      }
    }
  }
  return names;
}

/** The same name at another address, or proven in another way, is another origin. */
function sameAddress(a: WireOrigin, b: WireOrigin): boolean {
  return (
    a.hostname === b.hostname &&
    a.port === b.port &&
    a.secure === b.secure &&
    a.ca === b.ca &&
    sameTls(a.tls, b.tls)
  );
}

function sameTls(a: UpstreamTls | undefined, b: UpstreamTls | undefined): boolean {
  return (
    a?.client?.cert === b?.client?.cert &&
    a?.client?.key === b?.client?.key &&
    (a?.insecureSkipVerify ?? false) === (b?.insecureSkipVerify ?? false)
  );
}
