import { SluiceError } from '../core/errors.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import { awaitOperation } from './await-operation.ts';
import type { OrchestratorDeps } from './deps.ts';
import type { Releases } from './releases.ts';
import { quietContext } from './scope.ts';

const DEADLINE_MS = 5 * 60_000;

/** Removes an application from platforms, all at once. An error means that something is left there. */
export async function destroyOn(
  deps: Pick<OrchestratorDeps, 'providers' | 'clock'>,
  releases: Releases,
  application: ApplicationName,
  platforms: readonly PlatformName[],
): Promise<ReadonlyMap<PlatformName, SluiceError | undefined>> {
  const { clock } = deps;
  async function destroyOne(platform: PlatformName): Promise<[PlatformName, SluiceError | undefined]> {
    try {
      const provider = deps.providers.get(platform);
      if (!provider) throw new SluiceError('BUG', `no provider for ${platform}`);
      const context = quietContext(() => clock.now());
      await awaitOperation(await provider.destroy(context, application), {
        clock,
        provider,
        context,
        deadlineMs: DEADLINE_MS,
        // Nothing to keep: destroying again finds what is left.
        store: async () => {},
        onProgress() {},
      });
      await releases.setLive(application, platform, undefined);
      return [platform, undefined];
    } catch (caught) {
      return [platform, SluiceError.from(caught)];
    }
  }
  return new Map(await Promise.all(platforms.map(destroyOne)));
}
