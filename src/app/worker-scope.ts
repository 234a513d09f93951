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
export function workerSettings(gateway: GatewaySettings, listen: readonly ListenSettings[]): GatewaySettings {
  return { ...gateway, listen, admin: { ...gateway.admin, tokens: {} } };
}
