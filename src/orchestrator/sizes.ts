import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { IntentRecord, IntentRecords } from './intent-records.ts';

/** Why a platform runs another number of instances than is configured. */
export interface Size {
  readonly instances: number;
  /** What was configured when it was said: another number since then is a newer word. */
  readonly configured: number;
  readonly by: 'hand' | 'schedule' | 'load';
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Undefined: until something else is said. */
  readonly until?: number;
}

export function configuredOn(application: ApplicationSettings, platform: PlatformName): number {
  return application.targets.find((target) => target.platform === platform)?.instances ?? 1;
}

/** What somebody or something has said and still stands. */
export function sizeOn(
  record: Pick<IntentRecord, 'sizes'>,
  application: ApplicationSettings,
  platform: PlatformName,
  now: number,
): Size | undefined {
  const size = record.sizes[platform];
  if (size === undefined || size.configured !== configuredOn(application, platform)) return undefined;
  return size.until !== undefined && size.until <= now ? undefined : size;
}

/** Returns what takes it back. */
export async function keepSize(
  records: IntentRecords,
  application: ApplicationName,
  platform: PlatformName,
  size: Size | undefined,
): Promise<() => Promise<unknown>> {
  let before: Size | undefined;
  await records.update(application, (record) => {
    before = record.sizes[platform];
    return withSize(record, platform, size);
  });
  return () => records.update(application, (record) => withSize(record, platform, before));
}

function withSize(record: IntentRecord, platform: PlatformName, size: Size | undefined): IntentRecord {
  const { [platform]: _, ...sizes } = record.sizes;
  return { ...record, sizes: size === undefined ? sizes : { ...sizes, [platform]: size } };
}
