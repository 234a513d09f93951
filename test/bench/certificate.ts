import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { selfSignedCertificate } from '../../src/lib/self-signed.ts';
import type { CertificateFiles } from './contender.ts';

/** P-256, because a handshake is not what is measured and should cost little. */
export async function writeCertificate(folder: string): Promise<CertificateFiles> {
  const { certificate, key } = selfSignedCertificate(['127.0.0.1', 'localhost']);
  const files = {
    cert: join(folder, 'bench.crt'),
    key: join(folder, 'bench.key'),
    both: join(folder, 'bench.pem'),
  };
  await writeFile(files.cert, certificate);
  await writeFile(files.key, key, { mode: 0o600 });
  await writeFile(files.both, `${certificate}${key}`, { mode: 0o600 });
  return files;
}
