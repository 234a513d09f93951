import https from 'node:https';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { CertificateSettings } from '../../../src/core/settings.ts';
import { selfSignedCertificate } from '../../../src/lib/self-signed.ts';

export function certificateFor(...names: string[]): CertificateSettings {
  const { certificate: cert, key } = selfSignedCertificate(names);
  return { cert, key };
}

/** A connection whose handshake is done. Nobody's certificate is checked: tests look at it themselves. */
export function connectTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Everything that comes until the other side closes. */
export function readAll(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** One request with HTTP/1.1 over TLS; rejects when the answer does not come whole. */
export function askTls(
  port: number,
  options: https.RequestOptions = {},
  body?: Buffer | string,
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]>; names: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', port, rejectUnauthorized: false, agent: false, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        const socket = response.socket as TLSSocket;
        const names = socket.getPeerCertificate().subjectaltname ?? '';
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
            names,
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
