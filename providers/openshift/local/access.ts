import type { Clock, Random } from '../../../src/core/ports.ts';
import { NAMESPACES } from './resources.ts';
import type { Store } from './store.ts';

export const ANONYMOUS = 'system:anonymous';
export const REQUESTER = 'openshift.io/requester';

/** Who a request comes from and where they may act. */
export interface Access {
  /** The user behind an Authorization header; ANONYMOUS without one, undefined for one that is not (or no longer) valid. */
  identify(authorization: string | undefined): string | undefined;
  /** A project belongs to who asked for it and to its own service accounts. */
  mayUse(user: string, namespace: string): boolean;
  issue(user: string, lifetimeMs?: number): string;
}

export function createAccess(clock: Clock, random: Random, store: Store): Access {
  const tokens = new Map<string, { user: string; expiresAt: number }>();
  return {
    identify(authorization) {
      if (authorization === undefined) return ANONYMOUS;
      const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
      const known = token === undefined ? undefined : tokens.get(token);
      return known && known.expiresAt > clock.now() ? known.user : undefined;
    },
    mayUse(user, namespace) {
      if (user.startsWith(`system:serviceaccount:${namespace}:`)) return true;
      const project = store.get(NAMESPACES, undefined, namespace);
      return project?.metadata.annotations?.[REQUESTER] === user;
    },
    issue(user, lifetimeMs = Number.POSITIVE_INFINITY) {
      let secret = '';
      while (secret.length < 43) secret += Math.floor(random() * 36).toString(36);
      const token = `sha256~${secret}`;
      tokens.set(token, { user, expiresAt: clock.now() + lifetimeMs });
      return token;
    },
  };
}

export function groupsOf(user: string): string[] {
  if (user === ANONYMOUS) return ['system:unauthenticated'];
  const account = /^system:serviceaccount:([^:]+):/.exec(user);
  return account
    ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`, 'system:authenticated']
    : ['system:authenticated:oauth', 'system:authenticated'];
}
