import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { SluiceError } from '../core/errors.ts';
import type { AdminSettings } from '../core/settings.ts';

export type Role = 'read' | 'operate' | 'admin';

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

export interface Caller {
  readonly name: string;
  readonly role: Role;
}

export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Without a token only this machine may speak to it. */
export function checkAdminBinding(settings: AdminSettings): void {
  if (Object.keys(settings.tokens).length > 0 || isLoopback(settings.host)) return;
  throw new SluiceError(
    'CONFIG_INVALID',
    `the admin API would listen on ${settings.host} without any token`,
    {
      where: 'gateway.admin',
      remedy: 'name at least one token under gateway.admin.tokens, or listen on 127.0.0.1',
    },
  );
}

export interface RequestIdentity {
  readonly authorization: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/**
 * Who calls, or undefined. Without tokens every local program is admin, but no web page: a browser names the page
 * in Origin, and a page that rebinds its own name to 127.0.0.1 gives itself away by Host.
 */
export function authenticate(settings: AdminSettings, request: RequestIdentity): Caller | undefined {
  const tokens = Object.entries(settings.tokens);
  if (tokens.length === 0) {
    const host = request.host?.replace(/:\d+$/, '') ?? '';
    return isLoopback(host) && request.origin === undefined ? { name: 'local', role: 'admin' } : undefined;
  }
  const given = /^Bearer +(.+)$/i.exec(request.authorization ?? '')?.[1];
  if (given === undefined) return undefined;
  // All of them are compared: how long it takes must not tell which one was nearly right.
  const [match] = tokens.filter(([, { token }]) => sameText(given, token));
  return match && { name: match[0], role: match[1].role };
}

export function mayDo(caller: Caller, needed: Role): boolean {
  return RANK[caller.role] >= RANK[needed];
}

/** Digests first: comparing texts of unlike length would tell the length. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
