import type { CredentialLife } from '../../src/core/credentials.ts';
import { SluiceError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { Grant, TokenSource } from './login/grant.ts';

/** Calls that were under way with the old token are refused a moment later too. */
const SETTLED_MS = 1_000;
/** A renewal that failed is tried again then, as long as the token at hand still holds. */
const AGAIN_MS = 30_000;

/** What a call carries to say who we are. */
export interface Auth {
  headers(): Promise<Record<string, string>>;
  /** After a 401, once for all who met it. */
  renew(): Promise<void>;
  life(): CredentialLife;
}

/** Keeps a token that holds: asks its source for another one ahead of its end, and when it was refused. */
export function createAuth(source: TokenSource, clock: Clock): Auth {
  let grant: Grant | undefined;
  let asking: Promise<Grant> | undefined;
  let replacedAt = Number.NEGATIVE_INFINITY;
  let failure: { readonly why: string; readonly until: number } | undefined;

  function ask(wasRefused: boolean): Promise<Grant> {
    asking ??= source
      .next(grant, wasRefused)
      .then((next) => {
        grant = next;
        failure = undefined;
        return next;
      })
      .catch((error: unknown) => {
        failure = { why: SluiceError.from(error).message, until: clock.now() + AGAIN_MS };
        throw error;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  async function current(): Promise<Grant> {
    const held = grant ?? (await ask(false));
    const now = clock.now();
    const isDue = held.renewAt !== undefined && now >= held.renewAt;
    if (!isDue || (failure !== undefined && now < failure.until)) return held;
    try {
      return await ask(false);
    } catch (error) {
      // It still holds, and may go on to when renewing works again.
      if (held.endsAt === undefined || now < held.endsAt) return held;
      throw error;
    }
  }

  return {
    async headers() {
      return { authorization: `Bearer ${(await current()).token}` };
    },
    async renew() {
      // Where there is no other, the call is worth making again all the same: API servers behind one address do not all
      // learn of a new token at the same moment, and one that just restarted refuses good ones.
      if (!source.renews || clock.now() - replacedAt < SETTLED_MS) return;
      await ask(true);
      replacedAt = clock.now();
    },
    life() {
      const end = grant?.endsAt === undefined ? {} : { endsAt: grant.endsAt };
      if (!source.renews) return { ...end, renewal: 'none' };
      return failure === undefined
        ? { ...end, renewal: 'ok' }
        : { ...end, renewal: 'failing', why: failure.why };
    },
  };
}
