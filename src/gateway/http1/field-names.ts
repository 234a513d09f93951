import { Buffer } from 'node:buffer';
import {
  FORWARDED as FORWARDED_NAMES,
  HOP_BY_HOP as HOP_BY_HOP_NAMES,
  INSTANCE_PREFIX,
  INSTANCE_SUFFIX,
  PLATFORM_PRIVATE as PRIVATE_NAMES,
  PRIVATE_PREFIX,
} from '../headers.ts';
import { tellApart } from './octet-scan.ts';
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
/** Of interest in an answer: it may announce a stream without end. */
export const CONTENT_TYPE = 19;
/** One more than the greatest. */
export const KINDS = 20;

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
  ['content-type', CONTENT_TYPE],
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

interface KnownName {
  readonly bytes: Buffer;
  readonly kind: number;
  /** What a name with `_` in place of `-` is. */
  readonly aliasKind: number;
}

/** Length and first letter leave one or two names to compare, and none for nearly all fields. */
const BY_KEY: readonly (readonly KnownName[] | undefined)[] = byKey();

const NOBODY = Buffer.alloc(0);

// One name a key, and the first of several, is told at once by whoever scans lines. Of the families, all names must be asked for.
for (let key = 0; key < BY_KEY.length; key += 1) {
  const [first] = BY_KEY[key] ?? [];
  if (first !== undefined) tellApart(key, first.bytes, first.kind);
  else if ((key & 31) === (PRIVATE_PREFIX.charCodeAt(0) & 31)) tellApart(key, NOBODY, ORDINARY);
}

/** The letter in either case. */
function keyOf(first: number, length: number): number {
  return ((length & 31) << 5) | (first & 31);
}

/** The kind of the field whose name is `bytes[from..to)`. */
export function kindOf(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from]!;
  const alike = BY_KEY[keyOf(first, to - from)];
  if (alike !== undefined) {
    for (let i = 0; i < alike.length; i += 1) {
      const kind = kindIfNamed(alike[i]!, bytes, from, to);
      if (kind !== ORDINARY) return kind;
    }
  }
  return (first & 31) === FIRST_OF_FAMILIES ? kindOfFamily(bytes, from, to) : ORDINARY;
}

function kindIfNamed(known: KnownName, bytes: Uint8Array, from: number, to: number): number {
  const name = known.bytes;
  if (name.length !== to - from) return ORDINARY;
  let isAliased = false;
  for (let i = 0; i < name.length; i += 1) {
    const octet = bytes[from + i]!;
    if (NAME[octet] !== name[i]) return ORDINARY;
    if (octet === UNDERSCORE) isAliased = true;
  }
  return isAliased ? known.aliasKind : known.kind;
}

/** Both begin with the same letter. */
const FIRST_OF_FAMILIES = PRIVATE_PREFIX.charCodeAt(0) & 31;

/** `x-sluice-…` and `x-cf-…-instance` are private whatever stands in between. */
function kindOfFamily(bytes: Uint8Array, from: number, to: number): number {
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

function byKey(): (readonly KnownName[] | undefined)[] {
  const all = new Array<KnownName[] | undefined>(1024).fill(undefined);
  for (const [name, kind] of KNOWN) {
    const bytes = Buffer.from(name);
    const key = keyOf(bytes[0]!, bytes.length);
    const aliasKind = ALIASED.has(kind) ? ALIAS : ORDINARY;
    all[key] = [...(all[key] ?? []), { bytes, kind, aliasKind }];
  }
  return all;
}
