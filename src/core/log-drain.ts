import type { LogSource } from './logs.ts';

/** Where all that an application prints is sent as well. */
export interface LogDrainSettings {
  /** As written: `syslog+tls://logs.example.com:6514`, `otlp+https://collector:4318`. */
  readonly to: string;
  readonly sources?: readonly LogSource[];
  /** With OTLP: sent with every batch. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of authorities to trust besides the well-known ones. */
  readonly ca?: string;
}

export type DrainPlace =
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number; readonly tls: boolean }
  | { readonly kind: 'otlp'; readonly url: string };

/** Undefined: it is no address that a drain knows. */
export function drainPlace(to: string): DrainPlace | undefined {
  const [, kind, transport = '', rest = ''] =
    /^(syslog|otlp)(?:\+(tcp|tls|http|https))?:\/\/(.+)$/.exec(to) ?? [];
  if (kind === 'syslog' && transport !== 'http' && transport !== 'https') {
    const url = parsed(`http://${rest}`);
    if (url === undefined || url.pathname !== '/' || url.search !== '') return undefined;
    const tls = transport === 'tls';
    // RFC 5425 and RFC 6587 name these; a URL parser keeps 80 to itself.
    const port = url.port === '' ? (/:80\/?$/.test(rest) ? 80 : tls ? 6514 : 514) : Number(url.port);
    return { kind, host: url.hostname.replace(/^\[|\]$/g, ''), port, tls };
  }
  if (kind === 'otlp' && (transport === 'http' || transport === 'https')) {
    const url = parsed(`${transport}://${rest}`);
    if (url === undefined) return undefined;
    // The path is a matter of the specification where nobody says otherwise.
    if (url.pathname === '/') url.pathname = '/v1/logs';
    return { kind, url: url.href };
  }
  return undefined;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** What a drain did since it began. */
export interface DrainCounts {
  readonly application: string;
  readonly sent: number;
  /** Refused by who should take them, or overwritten while it took none. */
  readonly dropped: number;
  readonly pending: number;
  /** False while the other side takes nothing. */
  readonly up: boolean;
}
