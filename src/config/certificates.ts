import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { CertificateSettings, UpstreamTls } from '../core/settings.ts';
import { systemClock } from '../lib/clock.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, valueFault, warning } from './fault.ts';
import { absolute, homeless, type LoadOptions } from './options.ts';
import { mapAt, type Path, pathKey, valueAt } from './path.ts';
import { whyUnreadable } from './references.ts';

export interface Certificates {
  /** In the order of `gateway.listen`; undefined where a listener speaks plain text. */
  readonly listen: readonly (readonly CertificateSettings[] | undefined)[];
  readonly upstream: Readonly<Record<string, UpstreamTls>>;
  /** PEM texts of private keys: secrets, whichever way they came in. */
  readonly keys: readonly string[];
  readonly faults: readonly Fault[];
}

/** Every certificate and key the file names, read and checked against each other. */
export function readCertificates(
  root: unknown,
  document: Pick<ConfigDocument, 'faulty'>,
  options: LoadOptions,
): Certificates {
  const faults: Fault[] = [];
  const keys: string[] = [];

  function text(path: Path, marker: string, what: string): { pem: string; file?: string } | undefined {
    const given = valueAt(root, path);
    // Of another shape or unresolved: somebody else has said so.
    if (typeof given !== 'string' || given === '' || document.faulty.has(pathKey(path))) return undefined;
    const inline = given.includes('-----BEGIN');
    const file = inline ? undefined : absolute(given, options);
    if (!inline && file === undefined) return refuse(homeless(path));
    let pem = given;
    if (file !== undefined) {
      try {
        pem = options.read(file);
      } catch (caught) {
        const summary = `cannot read the ${what}: ${whyUnreadable(caught)}`;
        return refuse(valueFault(path, summary, 'correct the path; it starts at the folder of this file'));
      }
    }
    if (!pem.includes(marker)) {
      const where = inline ? 'this text' : 'this file';
      return refuse(valueFault(path, `${where} holds no ${what}`, `it must be PEM: -----BEGIN …${marker}`));
    }
    return file === undefined ? { pem } : { pem, file };
  }

  function refuse(fault: Fault): undefined {
    faults.push(fault);
  }

  function pair(certPath: Path, keyPath: Path): CertificateSettings | undefined {
    const cert = text(certPath, CERTIFICATE, 'certificate');
    const key = text(keyPath, PRIVATE_KEY, 'private key');
    if (key !== undefined) keys.push(key.pem);
    if (cert === undefined || key === undefined) return undefined;
    const now = options.now ?? systemClock.now();
    const found = checkPair(cert.pem, key.pem, { certPath, keyPath, now });
    faults.push(...found);
    if (found.some(({ severity }) => severity === 'error')) return undefined;
    return {
      cert: cert.pem,
      key: key.pem,
      ...(cert.file === undefined ? {} : { certFile: cert.file }),
      ...(key.file === undefined ? {} : { keyFile: key.file }),
    };
  }

  const listeners = valueAt(root, ['gateway', 'listen']);
  const listen = (Array.isArray(listeners) ? listeners : []).map((listener, i) => {
    const given = valueAt(listener, ['tls']);
    if (!Array.isArray(given)) return undefined;
    return given.flatMap((_, j) => {
      const path = ['gateway', 'listen', i, 'tls', j];
      return pair([...path, 'cert'], [...path, 'key']) ?? [];
    });
  });

  const upstream: Record<string, UpstreamTls> = {};
  for (const [name, platform] of Object.entries(mapAt(root, ['platforms']))) {
    const given = mapAt(platform, ['upstream']);
    const path = ['platforms', name, 'upstream'];
    const client =
      given['clientCert'] === undefined || given['clientKey'] === undefined
        ? undefined
        : pair([...path, 'clientCert'], [...path, 'clientKey']);
    const insecure = given['insecureSkipVerify'] === true;
    if (insecure) faults.push(insecureWarning([...path, 'insecureSkipVerify'], name));
    if (client === undefined && !insecure) continue;
    upstream[name] = {
      ...(client === undefined ? {} : { client }),
      ...(insecure ? { insecureSkipVerify: true } : {}),
    };
  }
  return { listen, upstream, keys, faults };
}

const CERTIFICATE = 'CERTIFICATE-----';
const PRIVATE_KEY = 'PRIVATE KEY-----';

interface PairAt {
  readonly certPath: Path;
  readonly keyPath: Path;
  /** Epoch milliseconds. */
  readonly now: number;
}

function checkPair(cert: string, key: string, { certPath, keyPath, now }: PairAt): readonly Fault[] {
  const chain = readChain(cert);
  const [leaf, ...others] = chain ?? [];
  if (leaf === undefined) {
    return [valueFault(certPath, 'the certificate cannot be read', 'write it anew as PEM')];
  }
  const privateKey = readKey(key);
  if ('trouble' in privateKey) return [valueFault(keyPath, privateKey.trouble, privateKey.remedy)];
  if (!leaf.checkPrivateKey(privateKey.key)) {
    const later = others.some((other) => other.checkPrivateKey(privateKey.key));
    return later
      ? [valueFault(certPath, 'the certificates stand in the wrong order', 'put the one of the key first')]
      : [
          valueFault(
            keyPath,
            'the key does not match the certificate',
            'give the key that the certificate was made for',
          ),
        ];
  }
  try {
    createSecureContext({ cert, key });
  } catch (caught) {
    const why =
      caught instanceof Error ? caught.message.replace(/^error:[^:]*:[^:]*:[^:]*:/, '') : 'no reason';
    return [
      valueFault(certPath, `OpenSSL refuses it: ${why}`, 'make a new one, for example P-256 or RSA 2048'),
    ];
  }
  return [...checkDates(leaf, certPath, now), ...others.flatMap((one) => checkDates(one, certPath, now))];
}

/** A warning: the old certificate of a running gateway must not keep it from taking another change. */
function checkDates(certificate: X509Certificate, path: Path, now: number): readonly Fault[] {
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) < now) {
    return [warning(path, `the certificate expired on ${validTo}`, 'renew it: clients refuse it')];
  }
  if (Date.parse(validFrom) > now) {
    return [
      warning(
        path,
        `the certificate is not valid before ${validFrom}`,
        'check the clock, or use the old one',
      ),
    ];
  }
  return [];
}

function readChain(pem: string): readonly X509Certificate[] | undefined {
  try {
    return (pem.match(ONE_CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
  } catch {
    return undefined;
  }
}

const ONE_CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*-----/g;

function readKey(pem: string): { key: KeyObject } | { trouble: string; remedy: string } {
  try {
    return { key: createPrivateKey(pem) };
  } catch {
    // OpenSSL's words for both are riddles.
    return /ENCRYPTED/.test(pem)
      ? {
          trouble: 'the private key is locked with a passphrase',
          remedy: 'unlock it with `openssl pkey -in KEY -out PLAIN` and protect the file itself',
        }
      : { trouble: 'the private key cannot be read', remedy: 'write it anew as PEM' };
  }
}

function insecureWarning(path: Path, platform: string): Fault {
  return warning(
    path,
    `the certificates of ${platform} are not verified: whoever is on the way there can read and change everything`,
    'remove it, and name the authority that signed them in `ca`',
  );
}
