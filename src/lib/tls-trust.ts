import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** For `tls.connect` and all that passes its options on. */
export interface TrustOptions {
  readonly secureContext?: SecureContext;
}

/** `ca`: PEM of authorities to trust besides the well-known ones; undefined: only those. */
export type Trust = (ca: string | undefined) => TrustOptions;

const NOTHING_MORE: TrustOptions = {};
/** More authorities than anybody has platforms; files that are exchanged at run time must not add up. */
const MOST = 32;

/**
 * Besides, not instead: a platform may have its API behind an authority of its own and its applications behind a
 * well-known one. Contexts are kept, for making one reads all of the well-known certificates: 18 ms.
 */
export function createTrust(): Trust {
  const contexts = new Map<string, TrustOptions>();
  return function trust(ca) {
    if (ca === undefined) return NOTHING_MORE;
    const known = contexts.get(ca);
    if (known !== undefined) return known;
    if (contexts.size >= MOST) contexts.clear();
    const made = {
      secureContext: createSecureContext({ ca: [...rootCertificates, ca], minVersion: 'TLSv1.2' }),
    };
    contexts.set(ca, made);
    return made;
  };
}
