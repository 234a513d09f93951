import type { Settings } from '../core/settings.ts';
import { isLoopback } from '../observe/admin-auth.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:9901';

/** Where this configuration's own server answers, seen from this machine. */
export function adminUrlOf(settings: Settings): string {
  const { host, port } = settings.gateway.admin;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** The token to show: the given one, else our own, but that to no server other than ours. */
export function tokenFor(
  settings: Settings,
  server: string | undefined,
  given: string | undefined,
): string | undefined {
  if (given !== undefined || server === undefined) return given ?? ownToken(settings);
  if (!URL.canParse(server)) return undefined;
  const { origin, hostname } = new URL(server);
  return origin === new URL(adminUrlOf(settings)).origin || isLoopback(hostname)
    ? ownToken(settings)
    : undefined;
}

/** Who can read the configuration may act with it: its first admin or else operate token. */
export function ownToken(settings: Settings): string | undefined {
  const tokens = Object.values(settings.gateway.admin.tokens);
  return (tokens.find(({ role }) => role === 'admin') ?? tokens.find(({ role }) => role === 'operate'))
    ?.token;
}
