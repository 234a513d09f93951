import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ApiBudgets, Clock, Random } from '../../../src/core/ports.ts';
import { type ApiClient, createApiClient } from '../../../src/lib/api-client.ts';
import type { Options } from '../config.ts';
import { errorOf } from '../errors.ts';
import { fixedToken } from './fixed-token.ts';
import type { TokenSource } from './grant.ts';
import { oauthLogin, refused } from './oauth-login.ts';
import { requestedToken } from './requested-token.ts';
import { tokenFile } from './token-file.ts';

interface Login {
  readonly source: TokenSource;
  /** Whose limits calls count against; a digest tells nobody anything. */
  readonly account: string;
  close(): Promise<void>;
}

/** The way to tokens that the configuration names. */
export function loginOf(deps: {
  readonly platform: string;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: Random;
  readonly budgets?: ApiBudgets | undefined;
}): Login {
  const { platform, options, clock } = deps;
  const { credentials, namespace } = options;
  const clients = new Map<string, ApiClient>();

  /** Without a token of its own: what it carries is said with each call. */
  function at(origin: string, isLogin: boolean): ApiClient {
    const open =
      clients.get(origin) ??
      createApiClient({
        platform,
        baseUrl: origin,
        ca: options.ca,
        random: deps.random,
        budgets: deps.budgets,
        headers: async () => ({}),
        errorOf: (answer, call) =>
          isLogin && answer.status === 401
            ? refused(platform, `${new URL(origin).host} answered 401`)
            : isLogin && answer.status === 404
              ? undefined
              : errorOf(platform, namespace, clock.now(), answer, call),
      });
    clients.set(origin, open);
    return open;
  }

  function source(): TokenSource {
    if ('username' in credentials) {
      const loggingIn = (origin: string): ApiClient => at(origin, true);
      return oauthLogin({ platform, ...credentials, clock, api: loggingIn(options.api), at: loggingIn });
    }
    if ('tokenFile' in credentials)
      return tokenFile(platform, credentials.tokenFile, clock, (path) => readFile(path, 'utf8'));
    const { token, serviceAccount } = credentials;
    if (serviceAccount === undefined) return fixedToken(token);
    return requestedToken({
      platform,
      namespace,
      serviceAccount,
      first: token,
      clock,
      api: at(options.api, false),
    });
  }

  return {
    source: source(),
    account: createHash('sha256').update(accountOf(credentials)).digest('hex').slice(0, 16),
    async close() {
      for (const client of clients.values()) await client.close();
    },
  };
}

function accountOf(credentials: Options['credentials']): string {
  if ('username' in credentials) return credentials.username;
  return 'tokenFile' in credentials ? credentials.tokenFile : credentials.token;
}
