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

/** `headers.ts` has the same in strings; a property test holds the two together. */
const KNOWN: readonly (readonly [name: string, kind: number])[] = [
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['expect', EXPECT],
  ['upgrade', UPGRADE],
  ['te', TE],
  ['via', VIA],
  ['date', DATE],
  ['keep-alive', HOP_BY_HOP],
  ['proxy-connection', HOP_BY_HOP],
  ['proxy-authenticate', HOP_BY_HOP],
  ['proxy-authorization', HOP_BY_HOP],
  ['proxy-authentication-info', HOP_BY_HOP],
  ['http2-settings', HOP_BY_HOP],
  ['trailer', HOP_BY_HOP],
  ['x-forwarded-for', FORWARDED],
  ['x-forwarded-proto', FORWARDED],
  ['x-forwarded-host', FORWARDED],
  ['x-forwarded-port', FORWARDED],
  ['x-real-ip', FORWARDED],
  ['forwarded', FORWARDED],
  ['x-cf-app-instance', PLATFORM_PRIVATE],
  ['x-cf-process-instance', PLATFORM_PRIVATE],
  ['x-forwarded-client-cert', PLATFORM_PRIVATE],
];

/** Kinds whose underscore forms are dropped rather than passed on as ordinary fields. */
const ALIASED: ReadonlySet<number> = new Set([
  CONTENT_LENGTH,
  TRANSFER_ENCODING,
  FORWARDED,
  PLATFORM_PRIVATE,
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
  if (known === undefined || known.bytes.length !== to - from) return ORDINARY;
  let aliased = false;
  for (let i = 0; i < known.bytes.length; i += 1) {
    const octet = bytes[from + i]!;
    if (NAME[octet] !== known.bytes[i]) return ORDINARY;
    if (octet === UNDERSCORE) aliased = true;
  }
  if (!aliased) return known.kind;
  return ALIASED.has(known.kind) ? ALIAS : ORDINARY;
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
