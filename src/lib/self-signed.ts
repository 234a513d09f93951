import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

export interface SelfSigned {
  /** PEM; it is its own authority. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * A certificate for loopback, written by hand because Node can sign one but not make one. Clients like kubectl send
 * their token over TLS only.
 */
export function selfSignedCertificate(names: readonly string[], until = '20991231235959Z'): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = sequence(tag(0x31, sequence(oid('2.5.4.3'), tag(0x0c, Buffer.from('sluice-local')))));
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const body = sequence(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    subject,
    // Lives as long as the process that made it: no need to ask a clock.
    sequence(tag(0x18, Buffer.from('20200101000000Z')), tag(0x18, Buffer.from(until))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, sequence(...extensions(names))),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    certificate: new X509Certificate(der).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer[] {
  const alternatives = names.map((name) => {
    const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(name);
    return isAddress ? tag(0x87, Buffer.from(name.split('.').map(Number))) : tag(0x82, Buffer.from(name));
  });
  return [
    sequence(oid('2.5.29.17'), tag(0x04, sequence(...alternatives))),
    // A critical constraint: it may sign, namely itself.
    sequence(
      oid('2.5.29.19'),
      tag(0x01, Buffer.from([0xff])),
      tag(0x04, sequence(tag(0x01, Buffer.from([0xff])))),
    ),
  ];
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return tag(0x02, bytes);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tag(0x06, Buffer.from(bytes));
}

function tag(type: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([type, length]), content]);
  const digits: number[] = [];
  for (let left = length; left > 0; left >>= 8) digits.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([type, 0x80 | digits.length, ...digits]), content]);
}
