import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { TrustOptions } from '../lib/tls-trust.ts';
import type { ProbeTarget } from './probes.ts';

export interface Connecting {
  readonly lookup: LookupFunction;
  readonly trust: TrustOptions;
  /** Where the URL says https; else it is only connected to. */
  readonly speaksTls: boolean;
  /** Does a certificate have to hold? Not for who is only asked whether it is alive. */
  readonly prove: boolean;
}

export interface Connected {
  /** Days until the certificate that was shown expires; undefined without TLS. */
  readonly certificateDays?: number;
  /** The handshake was made and does not prove what it should: nothing may be sent there. */
  readonly distrusted?: true;
}

const DAY_MS = 86_400_000;

/**
 * `connected` is called once, or the socket emits `error`. A certificate that does not hold is read before it is refused: that it
 * has expired is what a person wants to know.
 */
export function connectTo(
  target: ProbeTarget,
  { lookup, trust, speaksTls, prove }: Connecting,
  now: () => number,
  connected: (how: Connected) => void,
): net.Socket {
  const { hostname, port, isTls } = addressOf(target.url);
  if (!isTls || !speaksTls)
    return net.connect({ host: hostname, port, lookup, noDelay: true }, () => connected({}));
  const socket = tls.connect(
    {
      ...{ host: hostname, port, lookup },
      ...('secureContext' in trust ? { secureContext: trust.secureContext } : {}),
      ...(target.sni === undefined ? {} : { servername: target.sni }),
      rejectUnauthorized: false,
    },
    () => {
      const validTo = Date.parse(socket.getPeerCertificate().valid_to ?? '');
      const isTrusted = !prove || socket.authorized || trust.rejectUnauthorized === false;
      connected({
        ...(Number.isNaN(validTo) ? {} : { certificateDays: Math.floor((validTo - now()) / DAY_MS) }),
        ...(isTrusted ? {} : { distrusted: true as const }),
      });
    },
  );
  return socket;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
  /** As a Host field has it. */
  readonly authority: string;
}

const addresses = new Map<string, Address>();
const MOST_ADDRESSES = 10_000;

/** Kept: the same few thousand URLs are asked every second. */
export function addressOf(url: string): Address {
  const known = addresses.get(url);
  if (known !== undefined) return known;
  const { hostname, port, protocol, host } = new URL(url);
  const isTls = protocol === 'https:';
  const address: Address = {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    isTls,
    authority: host,
  };
  if (addresses.size >= MOST_ADDRESSES) addresses.clear();
  addresses.set(url, address);
  return address;
}
