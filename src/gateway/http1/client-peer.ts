import type { Socket } from 'node:net';
import { type AddressRanges, addressOf } from '../client-address.ts';
import type { ClientIdentity } from '../identity.ts';
import type { Peer } from '../wire.ts';

/** Who is on the other end of a connection. */
export class ClientPeer implements Peer {
  readonly address: string;
  readonly trusted: boolean;
  readonly encrypted: boolean;
  readonly localPort: number;
  identity: ClientIdentity | undefined = undefined;

  constructor(socket: Socket, trusted: AddressRanges) {
    this.address = addressOf(socket);
    this.trusted = trusted.has(this.address);
    this.encrypted = 'encrypted' in socket && socket.encrypted === true;
    this.localPort = socket.localPort ?? 0;
  }
}
