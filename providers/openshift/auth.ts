import type { Options } from './config.ts';

/** What a call carries to say who we are. */
export interface Auth {
  headers(): Promise<Record<string, string>>;
  /** After a 401. */
  renew(): Promise<void>;
}

/** A bearer token from the configuration, usually a service account's. */
export function createAuth(credentials: Options['credentials']): Auth {
  return {
    async headers() {
      return { authorization: `Bearer ${credentials.token}` };
    },
    // Nothing can be renewed, but the call is worth making again: API servers behind one address do not all learn
    // of a new token at the same moment, and one that just restarted refuses good ones.
    async renew() {},
  };
}
