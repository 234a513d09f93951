import { isIP } from 'node:net';
import type { AddressRanges } from './client-address.ts';
import { ForwardedLines } from './forwarded-lines.ts';
import type { Peer, RequestHead } from './wire.ts';

/**
 * Who a request comes from, as far as it can be believed, and how that is passed on. A client that is not a trusted
 * proxy says nothing about itself: all of it is what we see of its connection.
 */
export interface ClientIdentity {
  /** The nearest address on the way that is no proxy of ours: for limits, logs and X-Real-IP. */
  readonly address: string;
  /** The scheme the client used towards the first of our proxies. */
  readonly proto: string;
  /** What a trusted proxy says the client asked for; undefined: the Host of the request. */
  readonly host: string | undefined;
  /** Field lines for the origin, without X-Forwarded-Host, in names and values. */
  readonly fields: readonly string[];
  /** The same as bytes of a head. */
  readonly lines: ForwardedLines;
}

/** Of the peer itself one object a connection; through a trusted proxy one a request. */
export function identify(head: RequestHead, trusted: AddressRanges): ClientIdentity {
  const { peer } = head;
  if (peer.trusted) return throughProxy(head, peer, trusted);
  if (peer.identity === undefined) {
    const port = String(peer.localPort);
    peer.identity = identityOf(peer.address, schemeOf(peer), undefined, [
      ...['x-forwarded-for', peer.address, 'x-forwarded-proto', schemeOf(peer)],
      ...['x-forwarded-port', port, 'x-real-ip', peer.address],
    ]);
  }
  return peer.identity;
}

interface Said {
  for: string;
  forwarded: string;
  proto: string;
  host: string;
  port: string;
}

function throughProxy(head: RequestHead, peer: Peer, trusted: AddressRanges): ClientIdentity {
  const said = whatIsSaid(head.headers);
  // Two lists could name two clients, and a proxy that writes one passes the other on unseen. One is believed.
  const speaksForwarded = said.for === '' && said.forwarded !== '';
  const chain = speaksForwarded ? forwardedNodes(said.forwarded) : addresses(said.for);
  const address = nearestStranger(chain, peer.address, trusted);
  const list = speaksForwarded ? chain.join(', ') : said.for;
  const proto = isScheme(said.proto) ? said.proto.toLowerCase() : schemeOf(peer);
  const fields = [
    ...['x-forwarded-for', list === '' ? peer.address : `${list}, ${peer.address}`],
    ...['x-forwarded-proto', proto],
    ...['x-forwarded-port', /^[0-9]{1,5}$/.test(said.port) ? said.port : String(peer.localPort)],
    ...['x-real-ip', address],
  ];
  if (speaksForwarded) fields.push('forwarded', `${said.forwarded}, ${forwardedBy(peer)}`);
  return identityOf(address, proto, said.host === '' ? undefined : said.host, fields);
}

function identityOf(
  address: string,
  proto: string,
  host: string | undefined,
  fields: readonly string[],
): ClientIdentity {
  return { address, proto, host, fields, lines: new ForwardedLines(fields) };
}

function schemeOf(peer: Peer): string {
  return peer.encrypted ? 'https' : 'http';
}

function isScheme(text: string): boolean {
  return /^https?$/i.test(text);
}

/** Names with an underscore are no names of these fields: an alias may come from anybody before the proxy. */
function whatIsSaid(headers: readonly string[]): Said {
  const said: Said = { for: '', forwarded: '', proto: '', host: '', port: '' };
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1]!;
    switch (headers[i]!.toLowerCase()) {
      case 'x-forwarded-for':
        said.for = said.for === '' ? value : `${said.for}, ${value}`;
        break;
      case 'forwarded':
        said.forwarded = said.forwarded === '' ? value : `${said.forwarded}, ${value}`;
        break;
      case 'x-forwarded-proto':
        said.proto = value;
        break;
      case 'x-forwarded-host':
        said.host = isAuthority(value) ? value : '';
        break;
      case 'x-forwarded-port':
        said.port = value;
        break;
    }
  }
  return said;
}

function isAuthority(text: string): boolean {
  return /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(text);
}

/**
 * From the last hop back as far as trusted proxies vouch for each other. What is no address ends the walk: whoever
 * wrote it is the last one we know.
 */
function nearestStranger(chain: readonly string[], peer: string, trusted: AddressRanges): string {
  let nearest = peer;
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const address = bareAddress(chain[i]!);
    if (isIP(address) === 0) return nearest;
    nearest = address;
    if (!trusted.has(address)) return nearest;
  }
  return nearest;
}

function addresses(list: string): string[] {
  return list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Without what some proxies add: `[2001:db8::1]:4711`, `192.0.2.1:4711`, `::ffff:192.0.2.1`. */
function bareAddress(entry: string): string {
  const text = entry.startsWith('[') ? entry.slice(1, entry.indexOf(']')) : entry;
  const bare = isIP(text) === 0 && /^[0-9.]+:[0-9]+$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
  return bare.startsWith('::ffff:') && isIP(bare.slice(7)) === 4 ? bare.slice(7) : bare;
}

/** The `for` of each element (RFC 7239 §4), oldest first; an element without one is a hop nobody knows. */
function forwardedNodes(list: string): string[] {
  return elements(list).map((element) => {
    const found = /(?:^|;)\s*for\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i.exec(element);
    const node = found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2] ?? '';
    const bare = bareAddress(node.trim());
    return isIP(bare) === 0 ? 'unknown' : bare;
  });
}

/** Commas within quotes separate nothing. */
function elements(list: string): string[] {
  return list.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g)?.map((element) => element.trim()) ?? [];
}

/** What we add ourselves: who spoke to us, and how. */
function forwardedBy(peer: Peer): string {
  const node = isIP(peer.address) === 6 ? `"[${peer.address}]"` : peer.address;
  return `for=${node};proto=${schemeOf(peer)}`;
}
