// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '../../src/config/load.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { printSettings } from '../../src/config/print.ts';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { FOLDER, faultsOf, loadText, PROVIDERS, soundFile } from './support.ts';

const shop = selfSignedCertificate(['shop.example.com']);
const other = selfSignedCertificate(['other.example.com']);
const FILES: Readonly<Record<string, string>> = {
  [`${FOLDER}/tls/cert.pem`]: shop.certificate,
  [`${FOLDER}/tls/key.pem`]: shop.key,
  [`${FOLDER}/tls/other.key`]: other.key,
  [`${FOLDER}/tls/chain.pem`]: other.certificate + shop.certificate,
  [`${FOLDER}/tls/locked.key`]:
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  [`${FOLDER}/tls/broken.pem`]: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  [`${FOLDER}/tls/note.txt`]: 'not yet',
};

function listening(tls: string): string {
  return soundFile({ root: `gateway:\n  listen:\n    - port: 8443\n      tls:\n        - ${tls}\n` });
}

const KEY_LINE = shop.key.split('\n')[1] ?? '';

describe('certificates of listeners', () => {
  it('are read from files beside the configuration, which are kept by name', () => {
    const { settings, diagnostics } = loadText(listening('{ cert: tls/cert.pem, key: tls/key.pem }'), {
      files: FILES,
    });
    expect(diagnostics).toEqual([]);
    expect(settings?.gateway.listen).toEqual([
      {
        host: '0.0.0.0',
        port: 8443,
        tls: [
          {
            cert: shop.certificate,
            key: shop.key,
            certFile: `${FOLDER}/tls/cert.pem`,
            keyFile: `${FOLDER}/tls/key.pem`,
          },
        ],
      },
    ]);
  });

  it('may be PEM texts that come in by references', () => {
    const { settings, diagnostics } = loadText(listening('{ cert: "${CERT}", key: "${file:tls/key.pem}" }'), {
      files: FILES,
      env: { CERT: shop.certificate },
    });
    expect(diagnostics).toEqual([]);
    expect(settings?.gateway.listen[0]?.tls?.[0]?.key).toBe(shop.key.trimEnd());
  });

  it.each([['tls/key.pem'], ['"${file:tls/key.pem}"']])('with the key %s show no line of it', (key) => {
    const { settings } = loadText(listening(`{ cert: tls/cert.pem, key: ${key} }`), { files: FILES });
    if (settings === undefined) throw new Error('not loaded');
    expect(KEY_LINE.length).toBeGreaterThan(40);
    expect(printSettings(settings)).not.toContain(KEY_LINE);
    expect(settings.secrets.some((secret) => secret.includes(KEY_LINE))).toBe(true);
  });

  it.each([
    [
      '{ cert: tls/cert.pem, key: tls/other.key }',
      '11:38 error gateway.listen[0].tls[0].key: the key does not match the certificate — give the key that the certificate was made for',
    ],
    [
      '{ cert: tls/chain.pem, key: tls/key.pem }',
      '11:19 error gateway.listen[0].tls[0].cert: the certificates stand in the wrong order — put the one of the key first',
    ],
    [
      '{ cert: tls/none.pem, key: tls/key.pem }',
      '11:19 error gateway.listen[0].tls[0].cert: cannot read the certificate: no such file — correct the path; it starts at the folder of this file',
    ],
    [
      '{ cert: tls/note.txt, key: tls/key.pem }',
      '11:19 error gateway.listen[0].tls[0].cert: this file holds no certificate — it must be PEM: -----BEGIN …CERTIFICATE-----',
    ],
    [
      '{ cert: tls/broken.pem, key: tls/key.pem }',
      '11:19 error gateway.listen[0].tls[0].cert: the certificate cannot be read — write it anew as PEM',
    ],
    [
      '{ cert: tls/cert.pem, key: tls/locked.key }',
      '11:38 error gateway.listen[0].tls[0].key: the private key is locked with a passphrase — unlock it with `openssl pkey -in KEY -out PLAIN` and protect the file itself',
    ],
    [
      '{ cert: tls/cert.pem }',
      '11:11 error gateway.listen[0].tls[0].key: "key" is missing — add `key:` (a text)',
    ],
  ])('%s is refused where it is wrong', (tls, fault) => {
    expect(faultsOf(listening(tls), { files: FILES })).toEqual([fault]);
  });

  it('that have expired are warned of, and served', () => {
    const { settings, diagnostics } = loadSettings({
      file: `${FOLDER}/sluice.yaml`,
      read: (path) =>
        path === `${FOLDER}/sluice.yaml`
          ? listening('{ cert: tls/cert.pem, key: tls/key.pem }')
          : (FILES[path] ?? ''),
      env: {},
      providers: PROVIDERS,
      presets: packagePresets(),
      now: Date.parse('2150-01-01T00:00:00Z'),
    });
    expect(settings?.gateway.listen[0]?.tls).toHaveLength(1);
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: 'warning',
        path: 'gateway.listen[0].tls[0].cert',
        summary: expect.stringMatching(/^the certificate expired on /),
      }),
    ]);
  });
});

describe('TLS towards origins', () => {
  function platform(upstream: string): string {
    return soundFile().replace(
      'here: { provider: static, origins: ["http://127.0.0.1:1"] }',
      `here: { provider: static, origins: ["https://10.0.0.1"], upstream: ${upstream} }`,
    );
  }

  it('shows a client certificate', () => {
    const { settings, diagnostics } = loadText(
      platform('{ clientCert: tls/cert.pem, clientKey: tls/key.pem }'),
      { files: FILES },
    );
    expect(diagnostics).toEqual([]);
    expect(settings?.gateway.upstreamTls).toEqual({
      here: { client: expect.objectContaining({ cert: shop.certificate, key: shop.key }) },
    });
    expect(settings?.secrets.some((secret) => secret.includes(KEY_LINE))).toBe(true);
    expect(settings?.platforms['here']?.options).toEqual({ origins: ['https://10.0.0.1'] });
  });

  it('warns of leaving out the verification, and says what to do instead', () => {
    const { settings, diagnostics } = loadText(platform('{ insecureSkipVerify: true }'));
    expect(settings?.gateway.upstreamTls).toEqual({ here: { insecureSkipVerify: true } });
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: 'warning',
        path: 'platforms.here.upstream.insecureSkipVerify',
        summary: expect.stringContaining('the certificates of here are not verified'),
        remedy: expect.stringContaining('`ca`'),
      }),
    ]);
  });

  it.each([
    [
      '{ clientCert: tls/cert.pem }',
      'error platforms.here.upstream: one of clientCert and clientKey is missing — give both',
    ],
    [
      '{ skipVerify: true }',
      'error platforms.here.upstream.skipVerify: unknown key — known here: clientCert, clientKey, insecureSkipVerify',
    ],
    [
      '{ clientCert: tls/cert.pem, clientKey: tls/other.key }',
      'error platforms.here.upstream.clientKey: the key does not match the certificate — give the key that the certificate was made for',
    ],
  ])('refuses %s', (upstream, fault) => {
    const found = faultsOf(platform(upstream), { files: FILES }).map((line) => line.replace(/^\d+:\d+ /, ''));
    expect(found).toEqual([fault]);
  });
});
