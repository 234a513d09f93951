import type { PlatformName } from '../core/ids.ts';
import type { ObservedProcess } from '../core/provider.ts';
import type { OtherProcess } from '../core/settings.ts';

/** What is known of one process on one platform. */
export interface Sight {
  /** As read last; undefined: never read, or it is not there. */
  readonly process: Pick<ObservedProcess, 'desired' | 'running'> | undefined;
  /** Since when the platform does not answer; undefined: it does. */
  readonly awaySince: number | undefined;
}

export interface PlacementFacts {
  /** Targets in the order of the file. */
  readonly order: readonly PlatformName[];
  /** Where the gateway sends traffic. */
  readonly active: ReadonlySet<PlatformName>;
  readonly sights: ReadonlyMap<PlatformName, Sight>;
  /** Where it was started last by whoever was here before: all that is known of a platform that was never read. */
  readonly holder: PlatformName | undefined;
  readonly now: number;
}

export type Move =
  | {
      readonly kind: 'set';
      readonly platform: PlatformName;
      readonly instances: number;
      readonly from: number;
      readonly reason: string;
    }
  /** `platform` is to run it, as soon as what stands in the way is over. */
  | { readonly kind: 'wait'; readonly platform: PlatformName; readonly reason: string };

/**
 * What is to be done so that a process runs where it shall. A platform that does not answer is never written to; while
 * nobody is active everything stays as it is. Pure.
 */
export function movesOf(process: OtherProcess, facts: PlacementFacts): readonly Move[] {
  if (process.runOn === 'all' || !facts.order.some((platform) => facts.active.has(platform))) return [];
  return process.runOn === 'active' ? wherever(process, facts) : onOne(process, facts);
}

function wherever(process: OtherProcess, { order, active, sights }: PlacementFacts): readonly Move[] {
  return order.flatMap((platform) => {
    const isActive = active.has(platform);
    const reason = isActive ? `${platform} has traffic` : `${platform} has no traffic`;
    return set(platform, isActive ? process.instances : 0, sights.get(platform), reason);
  });
}

function onOne(process: OtherProcess, facts: PlacementFacts): readonly Move[] {
  const { order, active, sights } = facts;
  // Whoever was not heard of at all yet may be running it.
  if (order.some((platform) => !sights.has(platform))) return [];
  const next = order.find(
    (platform) => active.has(platform) && (isReadable(sights.get(platform)) || mayRun(platform, facts)),
  );
  if (next === undefined) return [];
  const moves: Move[] = [];
  let unconfirmed: PlatformName | undefined;
  for (const platform of order) {
    if (platform === next || !mayRun(platform, facts)) continue;
    const sight = sights.get(platform);
    if (sight?.awaySince !== undefined) {
      const left = sight.awaySince + process.takeOverMs - facts.now;
      if (left <= 0) unconfirmed = platform;
      else
        moves.push({
          kind: 'wait',
          platform: next,
          reason: `${platform} does not answer and may still run it`,
        });
      continue;
    }
    moves.push(...set(platform, 0, sight, `${next} is to run it`));
    moves.push({ kind: 'wait', platform: next, reason: `it has not stopped on ${platform} yet` });
  }
  if (moves.length > 0) return moves;
  const why =
    unconfirmed === undefined ? `${next} is the first with traffic` : notConfirmed(next, unconfirmed);
  return set(next, process.instances, sights.get(next), why);
}

function notConfirmed(next: PlatformName, away: PlatformName): string {
  return `${next} is the first with traffic; ${away} did not answer for so long that nobody can say whether it still runs there`;
}

function isReadable(sight: Sight | undefined): boolean {
  return sight?.process !== undefined && sight.awaySince === undefined;
}

/** As far as anybody knows. */
function mayRun(platform: PlatformName, { sights, holder }: PlacementFacts): boolean {
  const seen = sights.get(platform)?.process;
  return seen === undefined
    ? holder === platform && !isGone(sights.get(platform))
    : seen.desired + seen.running > 0;
}

/** It answers, and the process is not there. */
function isGone(sight: Sight | undefined): boolean {
  return sight !== undefined && sight.process === undefined && sight.awaySince === undefined;
}

function set(
  platform: PlatformName,
  instances: number,
  sight: Sight | undefined,
  reason: string,
): readonly Move[] {
  if (!isReadable(sight) || sight?.process === undefined) return [];
  const from = sight.process.desired;
  return from === instances ? [] : [{ kind: 'set', platform, instances, from, reason }];
}
