import type { DestroyWish } from '../core/control.ts';
import { platformError, SluiceError } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { Operation, PlatformProvider } from '../core/provider.ts';
import type { MadeService } from '../core/service-power.ts';
import { awaitOperation } from './await-operation.ts';
import type { OrchestratorDeps } from './deps.ts';
import type { Releases } from './releases.ts';
import { quietContext } from './scope.ts';
import { taskRecordsIn } from './task-records.ts';

const DEADLINE_MS = 5 * 60_000;
/** A database takes its broker many minutes. */
const SERVICES_DEADLINE_MS = 35 * 60_000;

export interface DestroyedTarget {
  /** Something of the application is left there, or of its services where these were to go. */
  readonly error?: SluiceError;
  readonly left: readonly string[];
}

/** Removes an application from platforms, all at once; with `services` also what was made for them. */
export async function destroyOn(
  deps: Pick<OrchestratorDeps, 'providers' | 'clock' | 'store'>,
  releases: Releases,
  { application, services }: DestroyWish,
  platforms: readonly PlatformName[],
): Promise<ReadonlyMap<PlatformName, DestroyedTarget>> {
  const { clock } = deps;
  const context = quietContext(() => clock.now());

  function ended(provider: PlatformProvider, operation: Operation, deadlineMs: number): Promise<unknown> {
    return awaitOperation(operation, {
      ...{ clock, provider, context, deadlineMs },
      // Nothing to keep: destroying again finds what is left.
      store: async () => {},
      onProgress() {},
    });
  }

  async function destroyOne(platform: PlatformName): Promise<[PlatformName, DestroyedTarget]> {
    let left: readonly MadeService[] = [];
    try {
      const provider = deps.providers.get(platform);
      if (!provider) throw new SluiceError('BUG', `no provider for ${platform}`);
      const { services: power } = provider;
      // That it cannot be told what stays is no reason to stay.
      const known = power?.made(context, application) ?? Promise.resolve([]);
      left = await (services ? known : known.catch(() => []));
      // Before anything goes: who hears of it afterwards has lost the application and kept its database.
      if (services) refuseUsed(platform, left);
      await ended(provider, await provider.destroy(context, application), DEADLINE_MS);
      await releases.setLive(application, platform, undefined);
      if (services && power !== undefined && left.length > 0) {
        // Kept beforehand: an empty database that nobody migrates is worse than one that is migrated again.
        await taskRecordsIn(deps.store).forgetMigrations(application, platform);
        await ended(provider, await power.remove(context, application), SERVICES_DEADLINE_MS);
        left = [];
      }
      return [platform, { left: namesOf(left) }];
    } catch (caught) {
      return [platform, { error: SluiceError.from(caught), left: namesOf(left) }];
    }
  }
  return new Map(await Promise.all(platforms.map(destroyOne)));
}

function refuseUsed(platform: PlatformName, made: readonly MadeService[]): void {
  const used = made.filter(({ usedBy }) => usedBy.length > 0);
  if (used.length === 0) return;
  throw platformError(
    'conflict',
    platform,
    `${namesOf(used).join(', ')}: in use by others, nothing was removed`,
    {
      why: used.map(({ what, usedBy }) => `${what} is used by ${usedBy.join(', ')}`).join('; '),
      remedy: 'have them give it up, or destroy the application without --services',
    },
  );
}

function namesOf(made: readonly MadeService[]): readonly string[] {
  return made.map(({ what }) => what);
}
