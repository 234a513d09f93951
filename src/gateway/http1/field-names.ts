import { Buffer } from 'node:buffer';
import {
  FORWARDED as FORWARDED_NAMES,
  HOP_BY_HOP as HOP_BY_HOP_NAMES,
  INSTANCE_PREFIX,
  INSTANCE_SUFFIX,
  PLATFORM_PRIVATE as PRIVATE_NAMES,
  PRIVATE_PREFIX,
} from '../headers.ts';
import { DASH, TOKEN, UNDERSCORE } from './octets.ts';

/** What a field is to a gateway; everything it need not know about is `ORDINARY` and passes through. */
export const ORDINARY = 0;
/** From here to `TE`: what decides where messages begin, end and go. */
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const CONNECTION = 4;
export const EXPECT = 5;
export const UPGRADE = 6;
export const TE = 7;
export const VIA = 8;
export const DATE = 9;
/** About one connection, and with nothing in it that we need. */
export const HOP_BY_HOP = 10;
/** Who the client is: written anew by us. */
export const FORWARDED = 11;
/** What only a platform's own router may say. */
export const PLATFORM_PRIVATE = 12;
/** A name that many servers take for one of the others: `X_Forwarded_For`. */
export const ALIAS = 13;

/** In a request one that is made anew, in an answer the origin's word for it. */
export const REQUEST_ID = 14;
export const TRACEPARENT = 15;
export const TRACESTATE = 16;
export const COOKIE = 17;
export const SET_COOKIE = 18;
/** One more than the greatest. */
export const KINDS = 19;

const OWN_KIND: readonly (readonly [name: string, kind: number])[] = [
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['expect', EXPECT],
  ['upgrade', UPGRADE],
  ['te', TE],
  ['via', VIA],
  ['date', DATE],
  ['x-request-id', REQUEST_ID],
  ['traceparent', TRACEPARENT],
  ['tracestate', TRACESTATE],
  ['cookie', COOKIE],
  ['set-cookie', SET_COOKIE],
];

/** The names themselves stand in `headers.ts`, which does the same in strings; a property test holds the two together. */
const KNOWN: ReadonlyMap<string, number> = new Map([
  ...[...HOP_BY_HOP_NAMES].map((name) => [name, HOP_BY_HOP] as const),
  ...[...FORWARDED_NAMES].map((name) => [name, FORWARDED] as const),
  ...[...PRIVATE_NAMES].map((name) => [name, PLATFORM_PRIVATE] as const),
  ...OWN_KIND,
]);

/** Kinds whose underscore forms are dropped rather than passed on as ordinary fields. */
const ALIASED: ReadonlySet<number> = new Set([
  CONTENT_LENGTH,
  TRANSFER_ENCODING,
  FORWARDED,
  PLATFORM_PRIVATE,
  REQUEST_ID,
]);

/** Lower case, and `-` for `_`, so that an alias is found where the name it imitates is. 0 for what is no token. */
export const NAME = TOKEN.map((lower) => (lower === UNDERSCORE ? DASH : lower));

const SLOTS = 1024;
const SHORTEST = 'te'.length;

/** Length, first and last two bytes tell the known names apart; only a candidate is looked at in full. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  const ends = NAME[bytes[from]!]! + NAME[bytes[to - 2]!]! + NAME[bytes[to - 1]!]!;
  return (ends + 59 * (to - from)) & (SLOTS - 1);
}

interface KnownName {
  readonly bytes: Buffer;
  readonly kind: number;
}

const BY_SLOT: readonly (KnownName | undefined)[] = slots();

/** The kind of the field whose name is `bytes[from..to)`. */
export function kindOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < SHORTEST) return ORDINARY;
  const known = BY_SLOT[slotOf(bytes, from, to)];
  if (known === undefined || known.bytes.length !== to - from) return kindOfFamily(bytes, from, to);
  let aliased = false;
  for (let i = 0; i < known.bytes.length; i += 1) {
    const octet = bytes[from + i]!;
    if (NAME[octet] !== known.bytes[i]) return kindOfFamily(bytes, from, to);
    if (octet === UNDERSCORE) aliased = true;
  }
  if (!aliased) return known.kind;
  return ALIASED.has(known.kind) ? ALIAS : ORDINARY;
}

const SECOND_OF_FAMILIES = PRIVATE_PREFIX.charCodeAt(1);

/** `x-sluice-…` and `x-cf-…-instance` are private whatever stands in between; nearly all others are told by a byte. */
function kindOfFamily(bytes: Uint8Array, from: number, to: number): number {
  if (NAME[bytes[from + 1]!] !== SECOND_OF_FAMILIES) return ORDINARY;
  if (begins(bytes, from, to, PRIVATE_PREFIX)) return PLATFORM_PRIVATE;
  const isInstance =
    to - from > INSTANCE_PREFIX.length + INSTANCE_SUFFIX.length &&
    begins(bytes, from, to, INSTANCE_PREFIX) &&
    begins(bytes, to - INSTANCE_SUFFIX.length, to, INSTANCE_SUFFIX);
  return isInstance ? PLATFORM_PRIVATE : ORDINARY;
}

function begins(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from < text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (NAME[bytes[from + i]!] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function slots(): (KnownName | undefined)[] {
  const all = new Array<KnownName | undefined>(SLOTS).fill(undefined);
  for (const [name, kind] of KNOWN) {
    const bytes = Buffer.from(name);
    const slot = slotOf(bytes, 0, bytes.length);
    // Two names in one slot would make one of them ordinary. The names are constants, so this fails at once or never.
    if (all[slot] !== undefined) throw new RangeError(`${name} needs another hash`);
    all[slot] = { bytes, kind };
  }
  return all;
}
