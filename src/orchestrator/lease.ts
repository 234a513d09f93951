import { SluiceError } from '../core/errors.ts';
import type { ApplicationName } from '../core/ids.ts';
import type { Clock, Lease, LeaseHolder, StateStore } from '../core/ports.ts';

const TTL_MS = 30_000;
const RENEW_MS = 10_000;

export interface HeldLease {
  /** False from the moment a renewal was refused, or none succeeded for as long as the lease lasts. */
  readonly valid: () => boolean;
  /** Looks whether it is still ours, as before a write: somebody may have broken it. */
  confirm(): Promise<boolean>;
  release(): Promise<void>;
}

/** Who asks for leases. Two acts of one process are two holders. */
export interface LeaseIdentity {
  /** `sluice serve (pid 4711 on build-7)`. */
  readonly holder: string;
  readonly process: { readonly host: string; readonly pid: number };
  readonly uniqueId: () => string;
}

export function holderOf(
  { holder, process, uniqueId }: LeaseIdentity,
  reason: string,
  since: number,
): LeaseHolder {
  return { id: `${holder} #${uniqueId()}`, process, reason, since };
}

/**
 * One change of an application at a time; `writer`: one promotion, which must not wait for a deployment; `task`: one
 * task that is being begun, which neither must wait for nor keep one. Throws
 * LOCK_HELD naming who has it, why and for how long.
 */
export async function leaseApplication(
  store: StateStore,
  clock: Clock,
  application: ApplicationName,
  holder: LeaseHolder,
  what: 'deploy' | 'writer' | 'task' = 'deploy',
): Promise<HeldLease> {
  const answer = await store.acquire(`${what}-${application}`, holder, TTL_MS);
  if (!answer.held) {
    const left = Math.max(0, Math.ceil((answer.expiresAt - clock.now()) / 1000));
    throw new SluiceError('LOCK_HELD', `${application} is being changed by ${answer.holder.id}`, {
      where: application,
      why: answer.holder.reason,
      remedy: `wait for it; if its process is dead the lock ends by itself in ${left} s`,
    });
  }
  return keepAlive(answer, clock);
}

function keepAlive(lease: Lease, clock: Clock): HeldLease {
  let valid = true;
  let renewedAt = clock.monotonic();
  const stop = clock.every(RENEW_MS, () => {
    const askedAt = clock.monotonic();
    lease.renew().then(
      (renewed) => {
        valid = valid && renewed;
        if (renewed) renewedAt = askedAt;
      },
      // A disk hiccup is no loss yet: the lease lives three renewals long.
      () => undefined,
    );
  });
  const isValid = (): boolean => valid && clock.monotonic() - renewedAt < TTL_MS;
  return {
    // Also when nothing was heard of a renewal: we may have stood still, or the disk may be full.
    valid: isValid,
    async confirm() {
      // A disk hiccup is no loss here either.
      valid = valid && (await lease.isHeld().catch(() => true));
      return isValid();
    },
    async release() {
      stop();
      await lease.release();
    },
  };
}
