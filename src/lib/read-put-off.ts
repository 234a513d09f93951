import { SluiceError } from '../core/errors.ts';

/**
 * A reading that our own budget put off, before its first call: it says nothing of the platform, which was not asked. For
 * those who do not know it, it is a rate limit like any other.
 */
export class ReadPutOff extends SluiceError {
  readonly waitMs: number;

  constructor(platform: string, endpoint: string, waitMs: number) {
    super(
      'PLATFORM_RATE_LIMITED',
      'reading is put off: the rate limit of this account is nearly used up',
      {
        where: platform,
        why: `${endpoint} has less than a tenth of its calls left, and they are for deployments first`,
        remedy: 'nothing: it is read less often until the limit begins anew',
        retryAfterMs: waitMs,
      },
      'rateLimited',
    );
    this.waitMs = waitMs;
  }
}
