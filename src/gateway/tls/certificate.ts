import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { SluiceError } from '../../core/errors.ts';
import type { CertificateSettings } from '../../core/settings.ts';

/** Sessions are only resumed where they say the same; equal in all workers, whatever their arguments. */
const SESSION_ID_CONTEXT = 'sluice';

/** A certificate ready to serve with, and the names it is for. */
export interface Certificate {
  /** Lower case; `*.example.com` stands for one label. */
  readonly names: readonly string[];
  readonly context: SecureContext;
}

/**
 * Throws CONFIG_INVALID, naming the file and what is wrong with it. An expired one is served: that is for the client
 * to judge, and a gateway that stops would help nobody.
 */
export function readCertificate({ cert, key, certFile, keyFile }: CertificateSettings): Certificate {
  const parsed = tryTo(
    certFile ?? 'the certificate',
    'is no certificate in PEM',
    () => new X509Certificate(cert),
  );
  const privateKey = tryTo(keyFile ?? 'the key', 'is no private key in PEM without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new SluiceError('CONFIG_INVALID', 'the certificate and the key do not belong together', {
      where: [certFile, keyFile].filter((file) => file !== undefined).join(' and ') || 'gateway.listen',
      why: 'the key is not the one the certificate was made for',
      remedy: 'give the key of the first certificate in the file; when files are replaced, replace both',
    });
  }
  // Node parses the rest of the chain here, and OpenSSL refuses keys that are too short.
  const context = tryTo(certFile ?? 'the certificate', 'cannot be served', () =>
    createSecureContext(contextOptions({ cert, key })),
  );
  return { names: namesOf(parsed), context };
}

/** How we speak TLS, whatever the certificate. */
export function contextOptions({ cert, key }: CertificateSettings): SecureContextOptions {
  return {
    cert,
    key,
    // Clients show us no certificates, so nobody needs to be trusted.
    ca: [],
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    sessionIdContext: SESSION_ID_CONTEXT,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Names of a certificate, lower case; the common name counts only where there are no alternatives (RFC 9525 §2). */
export function namesOf({ subjectAltName, subject }: X509Certificate): readonly string[] {
  const names: string[] = [];
  // A name with a comma in it would be quoted; no host has one, so it is not a host.
  for (const part of subjectAltName?.split(', ') ?? []) {
    if (part.startsWith('DNS:') && !part.includes('"')) names.push(part.slice('DNS:'.length).toLowerCase());
  }
  if (subjectAltName !== undefined) return names;
  const common = /^CN=(.+)$/m.exec(subject ?? '');
  return common === null ? [] : [common[1]!.toLowerCase()];
}

function tryTo<T>(where: string, what: string, run: () => T): T {
  try {
    return run();
  } catch (caught) {
    throw new SluiceError('CONFIG_INVALID', `${where} ${what}`, {
      where,
      why: caught instanceof Error ? caught.message : String(caught),
      remedy: 'check it with `openssl x509 -in FILE -text` or `openssl pkey -in FILE -check`',
    });
  }
}
