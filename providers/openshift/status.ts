import { type ErrorClass, type ErrorDetails, platformError, toWire } from '../../src/core/errors.ts';
import type { ApplicationName } from '../../src/core/ids.ts';
import type { OperationHandle, OperationStatus, ProviderContext } from '../../src/core/provider.ts';
import type { Site } from './site.ts';

export function handleOf(
  site: Pick<Site, 'platform'>,
  context: ProviderContext,
  application: ApplicationName,
  kind: OperationHandle['kind'],
  native: Readonly<Record<string, string>>,
): OperationHandle {
  return { platform: site.platform, application, kind, native, startedAt: context.now() };
}

export function failed(
  errorClass: ErrorClass,
  site: Site,
  what: string,
  details: ErrorDetails,
): OperationStatus {
  return { state: 'failed', error: toWire(platformError(errorClass, site.platform, what, details)) };
}
