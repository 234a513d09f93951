import type { Socket } from 'node:net';
import { type AddressRanges, addressOf } from '../client-address.ts';
import { PSEUDONYM } from '../headers.ts';
import type { Peer } from '../wire.ts';

/** Who is on the other end of a connection, and what we tell origins about it. */
export class ClientPeer implements Peer {
  readonly address: string;
  readonly trusted: boolean;
  readonly encrypted: boolean;
  readonly localPort: number;
  #lines: Buffer | undefined = undefined;

  constructor(socket: Socket, trusted: AddressRanges) {
    this.address = addressOf(socket);
    this.trusted = trusted.has(this.address);
    this.encrypted = 'encrypted' in socket && socket.encrypted === true;
    this.localPort = socket.localPort ?? 0;
  }

  /** The field lines that are the same for all requests of this client, unless it is trusted. */
  get forwardedLines(): Buffer {
    this.#lines ??= Buffer.from(
      `x-forwarded-for: ${this.address}\r\nx-forwarded-proto: ${this.encrypted ? 'https' : 'http'}\r\n` +
        `x-forwarded-port: ${this.localPort}\r\nvia: 1.1 ${PSEUDONYM}\r\n`,
    );
    return this.#lines;
  }
}
