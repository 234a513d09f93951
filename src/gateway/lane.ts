import { isIP } from 'node:net';
import type { ApplicationName, OriginId, PlatformName } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { Gate } from './gate.ts';
import { RecentLatency } from './latency.ts';
import { Outcomes } from './outcomes.ts';
import type { WireOrigin } from './wire.ts';

const LATENCY_SPAN_MS = 10_000;

/** One address with the SNI we ask for, as long as it is in the table or in use. What all its lanes share. */
export class OriginState {
  readonly wire: WireOrigin;
  readonly platform: PlatformName;
  readonly lanes = new Set<Lane>();
  /** Monotonic; when any answer began to come from it. */
  lastHeadAt = Number.NEGATIVE_INFINITY;

  constructor(wire: WireOrigin, platform: PlatformName) {
    this.wire = wire;
    this.platform = platform;
  }
}

/**
 * One application on one origin. A platform's router is an origin many applications share: what one application
 * does wrong there must not close the gate for the others.
 */
export class Lane {
  readonly application: ApplicationName;
  readonly origin: OriginState;
  readonly gate: Gate;
  readonly outcomes = new Outcomes();
  /** How long a request may wait for its head before it looks stalled; renewed every second. */
  stallAfterMs: number;
  readonly #latency = new RecentLatency(LATENCY_SPAN_MS);

  constructor(application: ApplicationName, origin: OriginState, settings: GatewaySettings, random: Random) {
    this.application = application;
    this.origin = origin;
    this.gate = new Gate({ ...settings.ejection, cap: settings.limits.perOrigin }, random);
    this.stallAfterMs = settings.stall.floorMs;
  }

  get id(): OriginId {
    return this.origin.wire.id;
  }

  headCame(now: number, latencyMs: number): void {
    this.origin.lastHeadAt = now;
    this.#latency.add(latencyMs, now);
    this.outcomes.head(latencyMs);
  }

  renewStallLimit(now: number, stall: GatewaySettings['stall']): void {
    this.stallAfterMs = Math.max(stall.floorMs, stall.p99Factor * this.#latency.p99(now));
  }
}

/** Parses a table's origin. URLs come from the engine, which had them from decoded provider answers. */
export function wireOrigin(
  id: OriginId,
  url: string,
  { sni, ca }: { readonly sni: string | undefined; readonly ca?: string },
): WireOrigin {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  // Brackets belong to the URL, not to the address.
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  // Without a word to the contrary an origin by name proves that name, not the Host a client happened to send.
  const name = sni ?? (secure && isIP(address) === 0 ? address : undefined);
  return {
    id,
    key: `${id} ${secure ? 'tls' : 'tcp'} ${name ?? ''}`,
    secure,
    hostname: address,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    sni: name,
    ca: secure ? ca : undefined,
  };
}
