import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateSettings } from '../../core/settings.ts';
import { contextOptions } from './certificate.ts';
import { Certificates } from './certificates.ts';

const TICKET_KEY_BYTES = 48;

export interface TlsFrontOptions {
  readonly certificates: readonly CertificateSettings[];
  /** Offered by ALPN, the preferred one first. */
  readonly protocols: readonly string[];
  readonly handshakeMs: number;
  /** Encrypts session tickets (48 bytes); a client may come back to another worker. Left out: by chance. */
  readonly ticketKeys: Buffer | undefined;
  readonly onSecure: (socket: TLSSocket) => void;
}

/**
 * Makes TLS connections of TCP connections. It does not listen itself, so new certificates are a new front for the
 * connections that come from then on, and what is in the middle of a handshake finishes it with the old ones.
 */
export class TlsFront {
  readonly #server: Server;

  /** Throws CONFIG_INVALID when a certificate cannot be used. */
  constructor({ certificates, protocols, handshakeMs, ticketKeys, onSecure }: TlsFrontOptions) {
    const all = new Certificates(certificates);
    this.#server = createServer({
      ...contextOptions(all.firstSettings),
      ALPNProtocols: [...protocols],
      handshakeTimeout: handshakeMs,
      ...(ticketKeys === undefined ? {} : { ticketKeys: ticketKeys.subarray(0, TICKET_KEY_BYTES) }),
      SNICallback: (name, done) => done(null, all.choose(name).context),
    });
    this.#server.on('secureConnection', onSecure);
    // Plain HTTP on this port, a scanner, a client that does not like the certificate: nothing to say to any of them.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }
}
