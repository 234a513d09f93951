import { SluiceError } from '../../core/errors.ts';
import type { CertificateSettings } from '../../core/settings.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** The certificates of one listener, chosen by the name the client asks for (SNI, RFC 6066 §3). */
export class Certificates {
  /** Serves whoever names nobody we know. */
  readonly first: Certificate;
  readonly firstSettings: CertificateSettings;
  readonly #exact = new Map<string, Certificate>();
  /** By what comes behind the `*`: `.example.com`. */
  readonly #wildcard = new Map<string, Certificate>();

  /** Throws CONFIG_INVALID when one of them cannot be used, or when there is none. */
  constructor(settings: readonly CertificateSettings[]) {
    const certificates = settings.map(readCertificate);
    const [first] = certificates;
    const [firstSettings] = settings;
    if (first === undefined || firstSettings === undefined) {
      throw new SluiceError('CONFIG_INVALID', 'a TLS listener has no certificate', {
        where: 'gateway.listen',
        remedy: 'give at least one certificate and its key, or leave tls out',
      });
    }
    this.first = first;
    this.firstSettings = firstSettings;
    for (const certificate of certificates) {
      for (const name of certificate.names) {
        const [names, key] = name.startsWith('*.') ? [this.#wildcard, name.slice(1)] : [this.#exact, name];
        // Who comes first in the configuration wins.
        if (!names.has(key)) names.set(key, certificate);
      }
    }
  }

  /** An exact name before a wildcard, and the first certificate for everybody else. */
  choose(serverName: string): Certificate {
    const name = serverName.toLowerCase();
    const dot = name.indexOf('.');
    const parent = dot <= 0 ? undefined : this.#wildcard.get(name.slice(dot));
    return this.#exact.get(name) ?? parent ?? this.first;
  }
}
