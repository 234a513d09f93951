import { type ErrorClass, type ErrorDetails, platformError, toWire } from '../../src/core/errors.ts';
import type { ApplicationName } from '../../src/core/ids.ts';
import type { Operation, OperationHandle, OperationStatus } from '../../src/core/provider.ts';

type Kind = OperationHandle['kind'];
type Native = Readonly<Record<string, string>>;

export function handleOf(
  platform: string,
  application: ApplicationName,
  kind: Kind,
  startedAt: number,
  native: Native,
): OperationHandle {
  return { platform, application, kind, native, startedAt };
}

/** The same operation in its next phase. */
export function next(handle: OperationHandle, native: Native): OperationHandle {
  return { ...handle, native: { ...handle.native, ...native } };
}

export function finished(
  handle: OperationHandle,
  outcome: Omit<OperationStatus & { state: 'succeeded' }, 'state'> = {},
): Operation {
  return { handle, done: { state: 'succeeded', ...outcome } };
}

/** Asks soon at first and less often later: a rollout of minutes must not eat the rate limit. */
export function running(
  handle: OperationHandle,
  now: number,
  message: string,
  more: Partial<OperationStatus & { state: 'running' }> = {},
): OperationStatus {
  const retryAfterMs = Math.round(Math.min(3_000, Math.max(250, (now - handle.startedAt) / 20)));
  return { state: 'running', message, retryAfterMs, ...more };
}

export function failed(
  errorClass: ErrorClass,
  platform: string,
  what: string,
  details: ErrorDetails,
): OperationStatus {
  return { state: 'failed', error: toWire(platformError(errorClass, platform, what, details)) };
}
