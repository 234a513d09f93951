import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Clock } from '../../../src/core/ports.ts';
import type { Actor } from './api-types.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

interface UaaDeps {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly credentials: Credentials;
  readonly userGuid: string;
  /** Seconds an access token lives. */
  readonly tokenSeconds: number;
  /** Known once the listener is open. */
  readonly issuer: () => string;
}

/** Issues tokens and knows them again. */
export interface Uaa {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Who a `bearer` token stands for; `undefined` when it is forged, expired or revoked. */
  actorOf(token: string): Actor | undefined;
  /** From now on the token counts as expired. */
  revoke(token: string): void;
}

interface UaaAnswer {
  readonly status: number;
  readonly body: object;
}

const SCOPE = 'cloud_controller.read cloud_controller.write openid cloud_controller.admin uaa.user';
const CLIENT_SCOPE = 'cloud_controller.read cloud_controller.write cloud_controller.admin';

/** As UAA comes: so many wrong passwords in a row close the account for a while. */
const LOCKED_AFTER = 5;
const LOCKED_MS = 300_000;

const claimsSchema = z.object({ exp: z.number(), sub: z.string(), user_name: z.string().optional() });

export function createUaa(deps: UaaDeps): Uaa {
  const { clock, newId, credentials, userGuid } = deps;
  const key = newId();
  const revoked = new Set<string>();
  const refreshTokens = new Set<string>();
  const failures = new Map<string, { readonly count: number; readonly at: number }>();

  function sign(claims: object): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const content = `${part({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })}.${part(claims)}`;
    return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
  }

  function accessToken(user: boolean): Record<string, unknown> {
    const iat = Math.floor(clock.now() / 1_000);
    const jti = newId().replaceAll('-', '');
    const clientId = user ? 'cf' : credentials.clientId;
    const claims = {
      jti,
      sub: user ? userGuid : clientId,
      scope: (user ? SCOPE : CLIENT_SCOPE).split(' '),
      client_id: clientId,
      cid: clientId,
      azp: clientId,
      grant_type: user ? 'password' : 'client_credentials',
      ...(user
        ? { user_id: userGuid, origin: 'uaa', user_name: credentials.username, email: credentials.username }
        : {}),
      iat,
      exp: iat + deps.tokenSeconds,
      iss: `${deps.issuer()}/oauth/token`,
      zid: 'uaa',
      aud: ['cloud_controller', clientId],
    };
    return {
      access_token: sign(claims),
      token_type: 'bearer',
      // UAA counts from the start of the second, so a second is already gone.
      expires_in: deps.tokenSeconds - 1,
      scope: claims.scope.join(' '),
      jti,
    };
  }

  function withRefresh(token: Record<string, unknown>): UaaAnswer {
    const refresh = `${newId().replaceAll('-', '')}-r`;
    refreshTokens.add(refresh);
    return { status: 200, body: { ...token, refresh_token: refresh } };
  }

  function login(username: string, password: string): UaaAnswer {
    const failed = failures.get(username);
    if (failed && failed.count >= LOCKED_AFTER && clock.now() < failed.at + LOCKED_MS) {
      return refusal(
        401,
        'unauthorized',
        'Your account has been locked because of too many failed attempts to login.',
      );
    }
    if (username === credentials.username && password === credentials.password) {
      failures.delete(username);
      return withRefresh(accessToken(true));
    }
    failures.set(username, { count: (failed?.count ?? 0) + 1, at: clock.now() });
    return refusal(401, 'unauthorized', 'Bad credentials');
  }

  function grant(form: URLSearchParams, basic: { id: string; secret: string } | undefined): UaaAnswer {
    const clientId = basic?.id ?? form.get('client_id') ?? '';
    const secret = basic?.secret ?? form.get('client_secret') ?? '';
    // The `cf` client is public: an empty secret is its secret.
    const known =
      (clientId === 'cf' && secret === '') ||
      (clientId === credentials.clientId && secret === credentials.clientSecret);
    if (!known) return refusal(401, 'invalid_client', 'Bad credentials');
    switch (form.get('grant_type')) {
      case 'password':
        return login(form.get('username') ?? '', form.get('password') ?? '');
      case 'client_credentials':
        return clientId === 'cf'
          ? refusal(401, 'invalid_client', 'Unauthorized grant type: client_credentials')
          : { status: 200, body: accessToken(false) };
      case 'refresh_token': {
        const token = form.get('refresh_token') ?? '';
        if (!refreshTokens.delete(token)) {
          return refusal(
            401,
            'invalid_token',
            'The token expired, was revoked, or the token ID is incorrect.',
          );
        }
        return withRefresh(accessToken(true));
      }
      case null:
        return refusal(400, 'invalid_request', 'Missing grant type');
      default:
        return refusal(400, 'unsupported_grant_type', `Unsupported grant type: ${form.get('grant_type')}`);
    }
  }

  async function answer(request: IncomingMessage): Promise<UaaAnswer> {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path === '/login' || path === '/info') return { status: 200, body: loginInfo(deps.issuer()) };
    if (path !== '/oauth/token') return refusal(404, 'not_found', 'Not Found');
    if (request.method !== 'POST') return refusal(405, 'method_not_allowed', 'Method not allowed');
    return grant(new URLSearchParams(await text(request)), basicOf(request));
  }

  return {
    handle(request, response) {
      answer(request).then(
        ({ status, body }) => {
          const text = JSON.stringify(body);
          response.writeHead(status, {
            'content-type': 'application/json;charset=UTF-8',
            'cache-control': 'no-store',
            'x-vcap-request-id': newId(),
            'content-length': Buffer.byteLength(text),
          });
          response.end(text);
        },
        // The client went away in the middle of its form.
        () => response.destroy(),
      );
    },
    actorOf(token) {
      const [head, claims, signature] = token.split('.');
      if (head === undefined || claims === undefined || signature === undefined) return undefined;
      const expected = createHmac('sha256', key).update(`${head}.${claims}`).digest();
      const actual = Buffer.from(signature, 'base64url');
      if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined;
      const { exp, sub, user_name } = claimsSchema.parse(
        JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')),
      );
      if (exp * 1_000 <= clock.now() || revoked.has(token)) return undefined;
      return { guid: sub, name: user_name ?? sub, email: user_name ?? '' };
    },
    revoke: (token) => void revoked.add(token),
  };
}

function refusal(status: number, error: string, description: string): UaaAnswer {
  return { status, body: { error, error_description: description } };
}

function basicOf(request: IncomingMessage): { id: string; secret: string } | undefined {
  const header = request.headers.authorization ?? '';
  if (!/^basic /i.test(header)) return undefined;
  const text = Buffer.from(header.slice(6), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { id: decodeURIComponent(text.slice(0, colon)), secret: decodeURIComponent(text.slice(colon + 1)) };
}

function loginInfo(url: string): object {
  return {
    app: { version: '77.20.0' },
    links: { uaa: url, login: url, passwd: `${url}/forgot_password`, register: `${url}/create_account` },
    zone_name: 'uaa',
    prompts: { username: ['text', 'Email'], password: ['password', 'Password'] },
  };
}
