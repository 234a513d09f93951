import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { UpstreamTls } from '../core/settings.ts';

/** For `tls.connect` and all that passes its options on. */
export interface TrustOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: false;
}

/** How an origin is to prove itself, and how we are. */
export interface TrustWish {
  /** PEM of authorities to trust besides the well-known ones; undefined: only those. */
  readonly ca?: string | undefined;
  /** What the platform's settings say. */
  readonly tls?: UpstreamTls | undefined;
}

export type Trust = (wish: TrustWish) => TrustOptions;

const NOTHING_MORE: TrustOptions = {};
/** More authorities than anybody has platforms; files that are exchanged at run time must not add up. */
const MOST = 32;

/**
 * Besides, not instead: a platform may have its API behind an authority of its own and its applications behind a
 * well-known one. Contexts are kept, for making one reads all of the well-known certificates: 18 ms.
 */
export function createTrust(): Trust {
  const contexts = new Map<string, TrustOptions>();
  return function trust(wish) {
    const { ca, tls } = wish;
    const client = tls?.client;
    const skip = tls?.insecureSkipVerify === true;
    if (ca === undefined && client === undefined && !skip) return NOTHING_MORE;
    const key = [ca ?? '', client?.cert ?? '', client?.key ?? '', String(skip)].join('\0');
    const known = contexts.get(key);
    if (known !== undefined) return known;
    if (contexts.size >= MOST) contexts.clear();
    const made: TrustOptions = {
      ...(ca === undefined && client === undefined ? {} : { secureContext: usableContext(wish) }),
      ...(skip ? { rejectUnauthorized: false } : {}),
    };
    contexts.set(key, made);
    return made;
  };
}

/**
 * What cannot be read is left out: then the other side refuses us, or we it, which shows where it belongs, in the
 * handshake with this one platform. Throwing here would take everybody's requests down.
 */
function usableContext(wish: TrustWish): SecureContext {
  const { ca, tls } = wish;
  const client = tls?.client;
  const wishes = [
    { ca, client },
    { ca, client: undefined },
    { ca: undefined, client },
  ];
  for (const one of wishes) {
    try {
      return contextOf(one.ca, one.client);
    } catch {}
  }
  return contextOf(undefined, undefined);
}

function contextOf(ca: string | undefined, client: UpstreamTls['client']): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    // Without a word of its own the context trusts what Node does, NODE_EXTRA_CA_CERTS included.
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
  });
}
