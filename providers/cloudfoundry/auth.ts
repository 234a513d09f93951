import { hasClass, platformError, type SluiceError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { ApiAnswer, ApiClient } from '../../src/lib/api-client.ts';
import { retryAfterMs } from '../../src/lib/rate-headers.ts';
import type { UaaCredentials } from './config.ts';
import { claimsSchema, decode, tokenSchema as tokenAnswer, uaaErrorSchema } from './wire.ts';

/** An expired token makes a call count against the per-address limit of strangers, so we are early. */
const RENEW_AHEAD_MS = 60_000;
/** After a refusal UAA is left alone: each further try brings the account closer to being locked. */
const REFUSED_FOR_MS = 60_000;

interface Grant {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly renewAt: number;
}

export interface Auth {
  /** The value of the Authorization header; asks UAA only when needed, once for all who wait. */
  header(): Promise<string>;
  /** Takes a new token although the old one looked good: the API refused it. */
  renew(): Promise<void>;
  /** Who the platform says we are. */
  identity(): Promise<string>;
}

export function uaaAuth(options: {
  platform: string;
  credentials: UaaCredentials;
  clock: Clock;
  uaa: () => Promise<ApiClient>;
}): Auth {
  const { platform, credentials, clock } = options;
  let grant: Grant | undefined;
  let asking: Promise<Grant> | undefined;
  let refusal: { readonly error: SluiceError; readonly until: number } | undefined;

  async function ask(form: Record<string, string>, basic: boolean): Promise<Grant> {
    const uaa = await options.uaa();
    const answer = await uaa.call({
      method: 'POST',
      path: '/oauth/token',
      body: new URLSearchParams(form).toString(),
      contentType: 'application/x-www-form-urlencoded',
      // `cf` is the public client of the command line tool; its secret is empty.
      headers: basic ? { authorization: `Basic ${Buffer.from('cf:').toString('base64')}` } : {},
      repeatable: true,
    });
    const got = decode(tokenAnswer, answer.json, platform, 'POST /oauth/token');
    return {
      accessToken: got.access_token,
      refreshToken: got.refresh_token,
      renewAt: clock.now() + Math.max(got.expires_in * 1000 - RENEW_AHEAD_MS, got.expires_in * 500),
    };
  }

  async function refresh(refreshToken: string): Promise<Grant | undefined> {
    try {
      return await ask({ grant_type: 'refresh_token', refresh_token: refreshToken }, true);
    } catch (error) {
      // A refresh token ends too; then the credentials themselves are asked with, once.
      if (hasClass(error, 'auth')) return undefined;
      throw error;
    }
  }

  async function obtain(): Promise<Grant> {
    if (refusal && clock.now() < refusal.until) throw refusal.error;
    const refreshToken = grant?.refreshToken;
    const refreshed = refreshToken === undefined ? undefined : await refresh(refreshToken);
    if (refreshed) return { ...refreshed, refreshToken: refreshed.refreshToken ?? refreshToken };
    try {
      return 'username' in credentials
        ? await ask({ grant_type: 'password', ...credentials }, true)
        : await ask(
            {
              grant_type: 'client_credentials',
              client_id: credentials.clientId,
              client_secret: credentials.clientSecret,
            },
            false,
          );
    } catch (error) {
      if (hasClass(error, 'auth')) refusal = { error, until: clock.now() + REFUSED_FOR_MS };
      throw error;
    }
  }

  function take(): Promise<Grant> {
    asking ??= obtain()
      .then((got) => {
        grant = got;
        refusal = undefined;
        return got;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    async header() {
      const fresh = grant && clock.now() < grant.renewAt ? grant : await take();
      return `bearer ${fresh.accessToken}`;
    },
    async renew() {
      await take();
    },
    async identity() {
      return (
        nameIn(grant?.accessToken) ??
        ('username' in credentials ? credentials.username : credentials.clientId)
      );
    },
  };
}

/** UAA answers in its own form, not in `errors[]`. */
export function uaaErrorOf(
  platform: string,
  credentials: UaaCredentials,
  now: number,
  answer: ApiAnswer,
): SluiceError {
  const decoded = uaaErrorSchema.safeParse(answer.json);
  const why = decoded.success
    ? `${decoded.data.error_description ?? decoded.data.error} (${decoded.data.error})`
    : `status ${answer.status}`;
  if (answer.status === 429) {
    return platformError('rateLimited', platform, 'UAA asks us to slow down', {
      why,
      remedy: 'wait; the login is tried again by itself',
      retryAfterMs: retryAfterMs(answer.headers, now) ?? 5_000,
    });
  }
  if (answer.status >= 500 || !decoded.success) {
    return platformError('unavailable', platform, 'UAA, which issues the tokens, does not work', {
      why,
      remedy: 'wait, or tell the operator; what runs there keeps serving',
    });
  }
  const kind =
    'username' in credentials
      ? 'credentials.username and credentials.password'
      : 'credentials.clientId and credentials.clientSecret';
  return platformError('auth', platform, 'the platform refused to log us in', {
    why,
    remedy: `correct ${kind} of platform ${platform} in sluice.yaml; further tries would lock the account`,
  });
}

/** The name in the token, for people only: nothing is decided by it, so its signature does not matter. */
function nameIn(jwt: string | undefined): string | undefined {
  const payload = jwt?.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const { user_name, client_id } = claimsSchema.parse(
      JSON.parse(Buffer.from(payload, 'base64url').toString()),
    );
    return user_name ?? client_id;
  } catch {
    // An opaque token names nobody.
    return undefined;
  }
}
