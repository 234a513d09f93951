import type { PlatformName } from '../core/ids.ts';
import type { StagedArtifact } from '../core/provider.ts';

/** What a platform has built, or why nobody need wait for it. */
export type Lent = { readonly artifact: StagedArtifact } | { readonly why: string };

/** Nobody need wait for it any more; what it built, or had before, is still to be found there. */
export const ENDED = 'it has built nothing in this deployment';

/** Within one deployment: who builds tells those who take it from there. */
export interface Lending {
  /** The first word counts. */
  tell(platform: PlatformName, lent: Lent): void;
  /** Resolves at the latest when that platform has ended, in whatever way. */
  of(platform: PlatformName): Promise<Lent>;
}

export function createLending(taking: readonly PlatformName[]): Lending {
  const told = new Map<PlatformName, { readonly lent: Promise<Lent>; readonly tell: (lent: Lent) => void }>();

  function entryOf(platform: PlatformName) {
    const known = told.get(platform);
    if (known !== undefined) return known;
    let tell: (lent: Lent) => void = () => undefined;
    const lent = new Promise<Lent>((resolve) => {
      tell = resolve;
    });
    const entry = { lent, tell };
    told.set(platform, entry);
    // Nobody will ever say anything of it.
    if (!taking.includes(platform)) tell({ why: 'it takes no part in this deployment' });
    return entry;
  }

  return {
    tell: (platform, lent) => entryOf(platform).tell(lent),
    of: (platform) => entryOf(platform).lent,
  };
}
