import { z } from 'zod';

/** A token and what is known of its end. */
export interface Grant {
  readonly token: string;
  /** Epoch milliseconds; undefined: it does not end, or does not say. */
  readonly endsAt: number | undefined;
  /** From then on another one is looked for; undefined: never. */
  readonly renewAt: number | undefined;
}

/** A way to tokens. */
export interface TokenSource {
  /** False: there will never be another than the first. */
  readonly renews: boolean;
  /** `before`: the one that ends soon, or that was refused. */
  next(before: Grant | undefined, wasRefused: boolean): Promise<Grant>;
}

const claimsSchema = z.object({ exp: z.number().optional(), iat: z.number().optional() });

/** What a token says of its own end. Most of a service account's are JWTs; what is opaque says nothing. */
export function lifeIn(token: string): { readonly begunAt?: number; readonly endsAt?: number } {
  const payload = token.split('.')[1];
  if (payload === undefined) return {};
  try {
    const { exp, iat } = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return {
      ...(iat === undefined ? {} : { begunAt: iat * 1_000 }),
      ...(exp === undefined ? {} : { endsAt: exp * 1_000 }),
    };
  } catch {
    return {};
  }
}

/** When a fifth of its life is left: time enough for a platform that is away just then. */
export function renewalOf(begunAt: number, endsAt: number): number {
  return begunAt + (endsAt - begunAt) * 0.8;
}
