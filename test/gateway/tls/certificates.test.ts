import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SluiceError } from '../../../src/core/errors.ts';
import type { CertificateSettings } from '../../../src/core/settings.ts';
import { namesOf, readCertificate } from '../../../src/gateway/tls/certificate.ts';
import { Certificates } from '../../../src/gateway/tls/certificates.ts';
import { selfSignedCertificate } from '../../../src/lib/self-signed.ts';

function certificate(...names: string[]): CertificateSettings {
  const { certificate: cert, key } = selfSignedCertificate(names);
  return { cert, key };
}

function faultOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (caught) {
    if (caught instanceof SluiceError) return caught;
    throw caught;
  }
  throw new Error('nothing was thrown');
}

describe('a certificate', () => {
  it('is for its alternative names in lower case, not for addresses', () => {
    const { cert } = certificate('Shop.Example.com', '*.apps.example.com', '127.0.0.1');
    expect(namesOf(new X509Certificate(cert))).toEqual(['shop.example.com', '*.apps.example.com']);
  });

  it.each([
    ['text that is none', { cert: 'hello' }, 'a.pem', 'is no certificate'],
    ['a key that is none', { key: 'hello' }, 'a.key', 'is no private key'],
    ['the key of another', { key: certificate('b').key }, 'a.pem and a.key', 'do not belong together'],
  ])('refuses %s and says which file', (_what, change, where, what) => {
    const fault = faultOf(() =>
      readCertificate({ ...certificate('a'), certFile: 'a.pem', keyFile: 'a.key', ...change }),
    );
    expect(fault.code).toBe('CONFIG_INVALID');
    expect(fault.message).toContain(what);
    expect(fault.details.where).toBe(where);
    expect(fault.details.remedy).toBeDefined();
    expect(JSON.stringify(fault.details)).not.toContain('PRIVATE');
  });
});

describe('certificates of a listener', () => {
  const first = certificate('one.example.com', 'both.example.com');
  const second = certificate('*.example.com', 'both.example.com');
  const third = certificate('deep.one.example.com', '*.one.example.com');
  const all = new Certificates([first, second, third]);
  const chosen = (name: string): readonly string[] => all.choose(name).names;

  it.each([
    ['an exact name', 'one.example.com', 'one.example.com'],
    ['any case', 'ONE.Example.COM', 'one.example.com'],
    ['the first of two that fit', 'both.example.com', 'one.example.com'],
    ['a wildcard', 'other.example.com', '*.example.com'],
    ['a wildcard further down', 'x.one.example.com', 'deep.one.example.com'],
  ])('are chosen by %s', (_how, name, expected) => {
    expect(chosen(name)).toContain(expected);
  });

  it.each([
    ['a wildcard stands for one label only', 'a.b.example.com'],
    ['a wildcard does not stand for nothing', 'example.com'],
    ['nobody knows the name', 'elsewhere.test'],
    ['the name has no label', '.example.com'],
    ['there is no name', ''],
  ])('are the first one where %s', (_why, name) => {
    expect(all.choose(name)).toBe(all.first);
  });

  it('are at least one', () => {
    expect(faultOf(() => new Certificates([])).code).toBe('CONFIG_INVALID');
  });
});
