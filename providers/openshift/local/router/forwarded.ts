import type { RouterRoute } from './table.ts';

/** What the router knows of who asks. */
export interface Client {
  readonly address: string;
  readonly host: string;
  readonly port: string;
  readonly protocol: 'http' | 'https';
}

const DROPPED = new Set(['proxy', 'x-ssl', 'x-ssl-client-cert', 'x-ssl-client-dn', 'x-ssl-client-verify']);
const FORWARDED = [
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'forwarded',
  'x-forwarded-for',
];
/** Of this connection, not of the message; `upgrade` is put back for upgrades. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'transfer-encoding',
]);

/**
 * The header lines for the application, in order, duplicates kept: in `append` mode the router adds its own
 * X-Forwarded lines after those that came, it does not join them.
 */
export function requestHeaders(
  raw: readonly string[],
  client: Client,
  mode: RouterRoute['forwarded'],
): [string, string][] {
  const lines: [string, string][] = [];
  const present = new Set<string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || DROPPED.has(lower)) continue;
    if (mode === 'replace' && FORWARDED.includes(lower)) continue;
    present.add(lower);
    const value = raw[index + 1] ?? '';
    lines.push([name, lower === 'host' ? value.toLowerCase() : value]);
  }
  if (mode === 'never') return lines;
  const own: [string, string][] = [
    ['X-Forwarded-Host', client.host],
    ['X-Forwarded-Port', client.port],
    ['X-Forwarded-Proto', client.protocol],
    ['Forwarded', `for=${client.address};host=${client.host};proto=${client.protocol}`],
    ['X-Forwarded-For', client.address],
  ];
  for (const line of own) {
    if (mode === 'if-none' && present.has(line[0].toLowerCase())) continue;
    lines.push(line);
  }
  return lines;
}

export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}
