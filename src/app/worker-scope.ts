import type { GatewaySettings, ListenSettings } from '../core/settings.ts';

/** What Node and OpenSSL need, and the level of the log. Nothing else of our environment is a worker's business. */
const KEPT: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_OPTIONS',
  'NODE_ENV',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'SLUICE_LOG',
]);

/** Workers get no platform credentials: `undefined` removes a variable that node:cluster would hand down. */
export function workerEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  index: number,
): Record<string, string | undefined> {
  const cleared: Record<string, string | undefined> = {};
  for (const name of Object.keys(env)) if (!KEPT.has(name)) cleared[name] = undefined;
  return { ...cleared, SLUICE_ROLE: 'worker', SLUICE_WORKER: String(index) };
}

/** Tokens of the admin API are no business of the data path. */
export function workerSettings(
  gateway: GatewaySettings,
  given: { readonly listen: readonly ListenSettings[]; readonly ticketKeys: string },
): GatewaySettings {
  return { ...gateway, ...given, admin: { ...gateway.admin, tokens: {} } };
}

/** The ports that were taken, where any free one was asked for. */
export function pinned(
  listen: readonly ListenSettings[],
  ports: readonly number[],
): readonly ListenSettings[] {
  return listen.map((at, index) => ({ ...at, port: ports[index] ?? at.port }));
}

/**
 * Where workers shall listen after a change: what was configured the same before keeps the address they were told
 * then, which may be a pinned port in place of 0.
 */
export function carriedOver(
  next: readonly ListenSettings[],
  before: { readonly configured: readonly ListenSettings[]; readonly told: readonly ListenSettings[] },
): readonly ListenSettings[] {
  const free = new Set(before.configured.keys());
  return next.map((at) => {
    const index = [...free].find((i) => isSameAddress(before.configured[i], at));
    if (index === undefined) return at;
    free.delete(index);
    return { ...at, port: before.told[index]?.port ?? at.port };
  });
}

function isSameAddress(a: ListenSettings | undefined, b: ListenSettings): boolean {
  return a?.host === b.host && a.port === b.port;
}
