import { z } from 'zod';
import { hasClass, platformError, type SluiceError } from '../../../src/core/errors.ts';
import type { Clock } from '../../../src/core/ports.ts';
import type { ApiClient } from '../../../src/lib/api-client.ts';
import { decodeToken } from './decode.ts';
import { type Grant, renewalOf, type TokenSource } from './grant.ts';

const DISCOVERY = '/.well-known/oauth-authorization-server';
/** Each further try brings an account closer to being locked. */
const REFUSED_FOR_MS = 60_000;
/** OpenShift's own, where the answer does not say. */
const USUAL_SECONDS = 86_400;

const discoverySchema = z.object({ authorization_endpoint: z.url() });

/**
 * A person's login: the challenge that `oc login` answers too, with a token that ends after a day. The login server is
 * an application on the cluster, behind the very router that we watch; so nothing that must work in a failure should
 * depend on it.
 */
export function oauthLogin(options: {
  readonly platform: string;
  readonly username: string;
  readonly password: string;
  readonly clock: Clock;
  readonly api: ApiClient;
  /** A client of the login server: it lives at another address than the API. */
  readonly at: (origin: string) => ApiClient;
}): TokenSource {
  const { platform, username, password, clock, api } = options;
  let refusal: { readonly error: SluiceError; readonly until: number } | undefined;

  async function login(): Promise<Grant> {
    const found = await api.call({ method: 'GET', path: DISCOVERY });
    if (found.status === 404) throw noLogin(platform);
    const endpoint = decodeToken(discoverySchema, found.json, platform, DISCOVERY).authorization_endpoint;
    const { origin, pathname } = new URL(endpoint);
    const answer = await options.at(origin).call({
      method: 'GET',
      path: pathname,
      query: { client_id: 'openshift-challenging-client', response_type: 'token' },
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        // Else it answers with a page for browsers.
        'x-csrf-token': '1',
      },
    });
    const given = new URLSearchParams(/#(.*)$/.exec(answer.headers['location'] ?? '')?.[1] ?? '');
    const token = given.get('access_token');
    if (!token) throw refused(platform, reasonIn(answer.headers['location'] ?? ''));
    const endsAt = clock.now() + (Number(given.get('expires_in')) || USUAL_SECONDS) * 1_000;
    return { token, endsAt, renewAt: renewalOf(clock.now(), endsAt) };
  }

  return {
    renews: true,
    async next() {
      if (refusal && clock.now() < refusal.until) throw refusal.error;
      try {
        return await login();
      } catch (error) {
        if (hasClass(error, 'auth')) refusal = { error, until: clock.now() + REFUSED_FOR_MS };
        throw error;
      }
    },
  };
}

/** `?error=access_denied&error_description=…`, in the query or in the fragment. */
function reasonIn(location: string): string {
  const words = new URLSearchParams(location.replace(/^[^?#]*[?#]/, ''));
  return words.get('error_description') ?? words.get('error') ?? 'it answered without a token';
}

function noLogin(platform: string): SluiceError {
  return platformError('unsupported', platform, 'nobody can log in there with a password', {
    why: `GET ${DISCOVERY} answered 404: this cluster has no login server of its own`,
    remedy: `give platforms.${platform}.credentials.token instead: \`oc create token SERVICEACCOUNT\``,
  });
}

export function refused(platform: string, why: string): SluiceError {
  return platformError('auth', platform, 'the platform refused to log us in', {
    why,
    remedy: `correct credentials.username and credentials.password of platform ${platform} in sluice.yaml; further tries would lock the account`,
  });
}
