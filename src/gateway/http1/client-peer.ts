import { BlockList, isIP, type Socket } from 'node:net';
import { PSEUDONYM } from '../headers.ts';
import type { Peer } from '../wire.ts';

/** Who is on the other end of a connection, and what we tell origins about it. */
export class ClientPeer implements Peer {
  readonly address: string;
  readonly trusted: boolean;
  readonly encrypted: boolean;
  readonly localPort: number;
  #lines: Buffer | undefined = undefined;

  constructor(socket: Socket, trusted: BlockList) {
    const raw = socket.remoteAddress ?? '';
    const address = raw.startsWith('::ffff:') && isIP(raw.slice(7)) === 4 ? raw.slice(7) : raw;
    const family = isIP(address);
    this.address = family === 0 ? 'unknown' : address;
    this.trusted = family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
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

export function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
