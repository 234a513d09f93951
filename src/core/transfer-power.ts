import type { ApplicationName, ReleaseId } from './ids.ts';
import type { Operation, ProviderContext, StagedArtifact, TargetSpec } from './provider.ts';

/**
 * What one platform has built, taken to another of its kind instead of being built there again: the same bytes run on
 * both, and the second needs no buildpack's network. Whatever goes wrong with it, the platform can still build itself.
 */
export interface TransferPower {
  /** What was built for the release there, if anything; builds nothing. */
  find(
    context: ProviderContext,
    application: ApplicationName,
    release: ReleaseId,
  ): Promise<StagedArtifact | undefined>;
  /** Puts its bytes into the folder, and proves that they are the right ones. */
  take(context: ProviderContext, artifact: StagedArtifact, folder: string): Promise<Built>;
  /** As `stage`, and polled as such; `unsupported` where the platform could not run it. */
  give(context: ProviderContext, want: TargetSpec, built: Built): Promise<Operation>;
}

export interface Built {
  /** The platform it comes from. */
  readonly from: string;
  /** Absolute; whoever asked for it removes it. */
  readonly file: string;
  /** What it takes to run it, in the words of its kind of platform. */
  readonly native: Readonly<Record<string, string>>;
}
