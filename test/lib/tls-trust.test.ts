import { describe, expect, it } from '@jest/globals';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import { createTrust } from '../../src/lib/tls-trust.ts';

const own = selfSignedCertificate(['own.example.com']);
const other = selfSignedCertificate(['other.example.com']);
const client = { cert: own.certificate, key: own.key };

describe('trust', () => {
  it('is Node’s where nobody says anything', () => {
    const trust = createTrust();
    expect([trust({}), trust({ ca: undefined, tls: {} })]).toEqual([{}, {}]);
  });

  it('makes one context of the same wish, and another of another', () => {
    const trust = createTrust();
    const first = trust({ ca: own.certificate, tls: { client } });
    expect(first.secureContext).toBeDefined();
    expect(trust({ ca: own.certificate, tls: { client: { ...client } } })).toBe(first);
    const others = [
      trust({ ca: other.certificate, tls: { client } }),
      trust({ ca: own.certificate }),
      trust({ tls: { client } }),
      trust({ ca: own.certificate, tls: { client, insecureSkipVerify: true } }),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  it('looks away only where it is told to', () => {
    const trust = createTrust();
    expect(trust({ tls: { insecureSkipVerify: true } })).toEqual({ rejectUnauthorized: false });
    expect(trust({ ca: own.certificate, tls: { client } })).not.toHaveProperty('rejectUnauthorized');
  });

  it('keeps what can be read when something cannot', () => {
    const trust = createTrust();
    const mixed = { cert: own.certificate, key: other.key };
    expect(trust({ ca: own.certificate, tls: { client: mixed } }).secureContext).toBeDefined();
    expect(trust({ tls: { client: { cert: 'x', key: 'y' } } }).secureContext).toBeDefined();
  });
});
