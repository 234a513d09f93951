import { platformError, type SluiceError } from '../../src/core/errors.ts';
import type { ApiAnswer } from '../../src/lib/api-client.ts';
import { errorSchema } from './wire.ts';

/** The daemon speaks our errors already; only the place is the platform's. */
export function errorOf(platform: string, answer: ApiAnswer): SluiceError {
  const parsed = errorSchema.safeParse(answer.json);
  if (!parsed.success) {
    return platformError('unsupported', platform, 'what listens on the socket is not sluice host', {
      why: `it answered ${answer.status}`,
      remedy: 'check `socket` of the platform',
    });
  }
  const { error } = parsed.data;
  // What it could not class went wrong inside it, and may go well the next time: its calls may all be repeated.
  if (error.class === undefined && answer.status >= 500) {
    return platformError('unavailable', platform, 'the host daemon failed', {
      why: error.message,
      remedy: 'look at the log of `sluice host`; what it runs is not touched',
    });
  }
  return platformError(error.class ?? 'bug', platform, error.message, {
    why: error.why ?? `the daemon answered ${answer.status}`,
    remedy: error.remedy ?? 'look at the log of `sluice host`',
  });
}

export function unreachable(platform: string, socket: string, cause: SluiceError): SluiceError {
  return platformError('unavailable', platform, 'the host daemon does not answer', {
    why: `${socket}: ${cause.details.why ?? cause.message}`,
    remedy: `start it: sluice host --socket ${socket}`,
    cause,
  });
}
