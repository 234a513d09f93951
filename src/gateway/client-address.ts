import { BlockList, isIP, type Socket } from 'node:net';

/** `unknown` once the connection has gone. An IPv4 client of a socket for both families is named as what it is. */
export function addressOf(socket: Pick<Socket, 'remoteAddress'>): string {
  const raw = socket.remoteAddress ?? '';
  const address = raw.startsWith('::ffff:') && isIP(raw.slice(7)) === 4 ? raw.slice(7) : raw;
  return isIP(address) === 0 ? 'unknown' : address;
}

/** The addresses of CIDRs, as `gateway.trustedProxies` has them. */
export class AddressRanges {
  readonly #list = new BlockList();

  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** What is no address is in none of them. */
  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}
