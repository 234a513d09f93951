import type { PlatformName, ReleaseId } from '../core/ids.ts';
import type { Observation, ObservedOrigin } from '../core/provider.ts';
import type { RoutingTable } from '../core/routing-table.ts';

/** Origins of one platform which are reached the same way and carry the same release label. */
export interface EngineTarget {
  readonly platform: PlatformName;
  /** What is known of the release behind these origins. */
  readonly release: ReleaseId | undefined;
  /** Each origin is one instance and runs that release and no other. Behind a router it is only a label. */
  readonly pinned: boolean;
  /** The release is tried beside the one that serves. */
  readonly trial?: true;
  readonly hostHeader: string | undefined;
  readonly sni: string | undefined;
  readonly ca?: string;
  /** `http://127.0.0.1:8080`; no path. */
  readonly urls: readonly string[];
}

/** What a platform says it offers, as targets. */
export function observedTargets(platform: PlatformName, seen: Observation): readonly EngineTarget[] {
  const groups = new Map<string, { first: ObservedOrigin; urls: string[] }>();
  for (const origin of seen.origins) {
    // Without its release nobody could tell it from the one that serves.
    if (origin.trial === true && origin.release === undefined) continue;
    const key = JSON.stringify([origin.trial, origin.release, origin.hostHeader, origin.sni, origin.ca]);
    const group = groups.get(key);
    if (group) group.urls.push(origin.url);
    else groups.set(key, { first: origin, urls: [origin.url] });
  }
  return [...groups.values()].map(({ first, urls }) => ({
    platform,
    release: first.release ?? seen.serving,
    pinned: first.release !== undefined,
    ...(first.trial === undefined ? {} : { trial: first.trial }),
    hostHeader: first.hostHeader,
    sni: first.sni,
    ...(first.ca === undefined ? {} : { ca: first.ca }),
    urls,
  }));
}

/**
 * What the last table offered for an application: where a start begins, before anything was observed. Not its trials:
 * who tried them must say so again.
 */
export function rememberedTargets(table: RoutingTable, application: string): readonly EngineTarget[] {
  const route = table.routes.find((candidate) => candidate.application === application);
  const own = (route?.targets ?? []).filter(({ trial }) => trial !== true);
  return own.map(({ platform, release, hostHeader, sni, ca, origins }) => ({
    platform,
    release,
    pinned: false,
    hostHeader,
    sni,
    ...(ca === undefined ? {} : { ca }),
    urls: origins.map(({ url }) => url),
  }));
}
