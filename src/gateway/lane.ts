import { isIP } from 'node:net';
import type { ApplicationName, OriginId, PlatformName, ReleaseId } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import type { GatewaySettings, UpstreamTls } from '../core/settings.ts';
import { Gate, type GateRules } from './gate.ts';
import { RecentLatency } from './latency.ts';
import { Outcomes } from './outcomes.ts';
import { stallLimit } from './stall-limit.ts';
import type { WireOrigin } from './wire.ts';

/** One address with the SNI we ask for, as long as it is in the table or in use. What all its lanes share. */
export class OriginState {
  readonly wire: WireOrigin;
  readonly platform: PlatformName;
  /** Set when the origin is a name: the one of its addresses that this is. */
  readonly address: string | undefined;
  readonly lanes = new Set<Lane>();
  /** Monotonic; when any answer began to come from it. */
  lastHeadAt = Number.NEGATIVE_INFINITY;

  constructor(wire: WireOrigin, platform: PlatformName, address?: string) {
    this.wire = wire;
    this.platform = platform;
    this.address = address;
  }
}

/**
 * One application on one origin. A platform's router is an origin many applications share: what one application
 * does wrong there must not close the gate for the others.
 */
export class Lane {
  readonly application: ApplicationName;
  readonly origin: OriginState;
  readonly release: ReleaseId | undefined;
  readonly isTrial: boolean;
  readonly gate: Gate;
  readonly outcomes = new Outcomes();
  /** How long a request may wait for its head before it looks stalled; renewed every second. */
  stallAfterMs: number;
  readonly #latency = new RecentLatency();

  constructor(
    application: ApplicationName,
    origin: OriginState,
    { settings, random, release, trial }: LaneOptions,
  ) {
    this.application = application;
    this.origin = origin;
    this.release = release;
    this.isTrial = trial === true;
    this.gate = new Gate(rulesOf(settings), random);
    this.stallAfterMs = settings.stall.floorMs;
  }

  /** Other settings from now on. */
  tune(settings: GatewaySettings): void {
    this.gate.tune(rulesOf(settings));
  }

  get id(): OriginId {
    return this.origin.wire.id;
  }

  /** `ownMs`: of the latency, what this process itself was late. The origin is not to blame for it. */
  headCame(now: number, latencyMs: number, ownMs: number): void {
    this.origin.lastHeadAt = now;
    this.#latency.add(Math.max(0, latencyMs - ownMs), now);
    this.outcomes.head(latencyMs);
  }

  renewStallLimit(now: number, stall: GatewaySettings['stall']): void {
    this.stallAfterMs = stallLimit(stall, this.#latency.quantiles(now));
  }
}

export interface LaneOptions {
  readonly settings: GatewaySettings;
  readonly random: Random;
  readonly release?: ReleaseId | undefined;
  readonly trial?: true;
}

function rulesOf(settings: GatewaySettings): GateRules {
  return { ...settings.ejection, cap: perWorker(settings, settings.limits.perOrigin) };
}

/** A limit over all workers, for one of them. */
export function perWorker({ workers }: Pick<GatewaySettings, 'workers'>, limit: number): number {
  return Math.ceil(limit / Math.max(1, workers));
}

/** What the table and the settings say of an origin besides its URL. */
export interface OriginWish {
  readonly sni: string | undefined;
  readonly ca?: string;
  readonly tls?: UpstreamTls | undefined;
}

/** The name in an origin's URL that has to be looked up; undefined for addresses and for this machine itself. */
export function nameIn(url: string): string | undefined {
  const { hostname } = new URL(url);
  return hostname.startsWith('[') || isIP(hostname) !== 0 || hostname === 'localhost' ? undefined : hostname;
}

/**
 * Parses a table's origin. URLs come from the engine, which had them from decoded provider answers. `address`: one
 * that the name in the URL stands for; who answers there must still prove the name.
 */
export function wireOrigin(id: OriginId, url: string, wish: OriginWish, address?: string): WireOrigin {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  // Brackets belong to the URL, not to the address.
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  // Without a word to the contrary an origin by name proves that name, not the Host a client happened to send.
  const name = wish.sni ?? (secure && isIP(host) === 0 ? host : undefined);
  const place = address === undefined ? id : `${id} ${address}`;
  return {
    id,
    key: `${place} ${secure ? 'tls' : 'tcp'} ${name ?? ''}`,
    secure,
    hostname: address ?? host,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    sni: name,
    ca: secure ? wish.ca : undefined,
    tls: secure ? wish.tls : undefined,
  };
}
