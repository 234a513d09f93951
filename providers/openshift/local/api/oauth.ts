import type { Cluster } from '../cluster.ts';
import { type Answer, type ApiRequest, ok } from './http.ts';

/** The one person there is, with a password of the same letters; the project `shop` is theirs. */
export const PERSON = 'shopkeeper';

const DISCOVERY = '/.well-known/oauth-authorization-server';
const AUTHORIZE = '/oauth/authorize';
const LIFETIME_SECONDS = 86_400;
const CLIENTS: ReadonlySet<string> = new Set(['openshift-challenging-client', 'openshift-cli-client']);

/**
 * The login with a password, as far as programs use it. On a real cluster the login server is an application behind the
 * router; here it answers at the API's own port. Other modes than `openshift` have none.
 */
export function oauth(cluster: Cluster, request: Omit<ApiRequest, 'user'>, path: string): Answer | undefined {
  if (cluster.mode !== 'openshift' || request.method !== 'GET') return undefined;
  const issuer = `${'encrypted' in request.incoming.socket ? 'https' : 'http'}://${request.headers.host ?? ''}`;
  if (path === DISCOVERY) return ok(metadata(issuer));
  if (path !== AUTHORIZE) return undefined;
  const target = `${issuer}/oauth/token/implicit`;
  const client = request.query.get('client_id') ?? '';
  if (!CLIENTS.has(client) || request.query.get('response_type') !== 'token') {
    return {
      kind: 'redirect',
      location: `${target}?error=unauthorized_client&error_description=unknown+client`,
    };
  }
  // Without the header it might be a page that somebody was lured to.
  if (request.headers['x-csrf-token'] === undefined)
    return challenge(request, 'A non-empty X-CSRF-Token header is required');
  const given = Buffer.from(
    (request.headers.authorization ?? '').replace(/^Basic /i, ''),
    'base64',
  ).toString();
  if (given !== `${PERSON}:${PERSON}`) return challenge(request, 'Unauthorized');
  const fragment = new URLSearchParams({
    access_token: cluster.access.issue(PERSON, { lifetimeMs: LIFETIME_SECONDS * 1_000 }),
    expires_in: String(LIFETIME_SECONDS),
    scope: 'user:full',
    token_type: 'Bearer',
  });
  return { kind: 'redirect', location: `${target}#${fragment}` };
}

function challenge({ response }: Pick<ApiRequest, 'response'>, text: string): Answer {
  response.setHeader('www-authenticate', 'Basic realm="openshift"');
  return { kind: 'text', code: 401, text: `${text}\n`, contentType: 'text/plain; charset=utf-8' };
}

function metadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}${AUTHORIZE}`,
    token_endpoint: `${issuer}/oauth/token`,
    scopes_supported: ['user:check-access', 'user:full', 'user:info', 'user:list-projects'],
    response_types_supported: ['code', 'token'],
    grant_types_supported: ['authorization_code', 'implicit'],
    code_challenge_methods_supported: ['plain', 'S256'],
  };
}
