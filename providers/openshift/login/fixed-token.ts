import { lifeIn, type TokenSource } from './grant.ts';

/** The one from the configuration. A changed file brings another provider with another token. */
export function fixedToken(token: string): TokenSource {
  return {
    renews: false,
    next: async () => ({ token, endsAt: lifeIn(token).endsAt, renewAt: undefined }),
  };
}
