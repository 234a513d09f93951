import type { HealthSettings } from '../core/settings.ts';
import type { ProbeKind } from '../core/signals.ts';
import type { WatchedOrigin } from '../core/verdict.ts';
import { mainProbe } from './probes.ts';

/** Something that is probed again and again, and all whom the answer concerns. */
export interface Round {
  readonly key: string;
  readonly kind: ProbeKind;
  readonly everyMs: number;
  /** The address that it goes to, for who wants to know more of it at once. */
  readonly address: string;
  /** At least one; the first is asked for all. */
  readonly origins: readonly WatchedOrigin[];
}

/** A port, and a router: evidence beside the health path, of an address that many applications may share. */
const ADDRESS_EVERY_MS = 2_000;

/** What is to be probed so that all of these are known, by key. */
export function roundsOf(origins: readonly WatchedOrigin[]): ReadonlyMap<string, Round> {
  const rounds = new Map<string, Round>();
  const addresses = new Map<string, WatchedOrigin[]>();
  for (const origin of origins) {
    const { application, platform, url, hostHeader, health } = origin;
    const address = addressOf(origin);
    const one = JSON.stringify([application, platform, url, hostHeader]);
    const main = { key: one, kind: mainProbe(health), everyMs: health.everyMs, address, origins: [origin] };
    rounds.set(one, main);
    if (health.deep !== undefined) {
      const key = `deep ${one}`;
      rounds.set(key, { ...main, key, kind: 'deep', everyMs: health.deep.everyMs });
    }
    // Where connecting is the probe itself there is nothing to ask beside it.
    if (health.path === undefined) continue;
    const sharing = addresses.get(address);
    if (sharing === undefined) addresses.set(address, [origin]);
    else sharing.push(origin);
  }
  for (const [address, sharing] of addresses) {
    for (const kind of addressKinds(sharing)) {
      const key = `${kind} ${address}`;
      rounds.set(key, { key, kind, everyMs: ADDRESS_EVERY_MS, address, origins: sharing });
    }
  }
  return rounds;
}

function addressKinds(sharing: readonly WatchedOrigin[]): readonly ProbeKind[] {
  return sharing.some(({ behindRouter }) => behindRouter === true) ? ['tcp', 'control'] : ['tcp'];
}

function addressOf({ platform, url }: WatchedOrigin): string {
  return `${platform} ${url}`;
}

/** The health rule whose timeout holds: what is asked for several waits as long as the most patient of them. */
export function rulesOf({ origins }: Round): HealthSettings | undefined {
  let rules: HealthSettings | undefined;
  for (const { health } of origins)
    if (rules === undefined || health.timeoutMs > rules.timeoutMs) rules = health;
  return rules;
}
