import { Buffer } from 'node:buffer';
import { KeptViews } from './kept-views.ts';

/** Of WebAssembly, what we use; Node's types leave it to those of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

interface OctetScan {
  readonly memory: { readonly buffer: ArrayBuffer };
  /**
   * The field lines in `[at, end)`: how many, and then `lines` has four offsets of each, `kinds` what fields they are,
   * `notable` which are not ordinary; behind the last line stand where the section ends, how many kinds have to be asked
   * for, whether a Cookie has to be looked at, and how many are notable. Or -1 when it is not whole, has more than `most`,
   * or any line is not as nearly all lines are. `at` and `end` are offsets of the memory, in `lines` they are from `base`.
   */
  fieldLines(base: number, at: number, end: number, most: number): number;
}

/** `octet-scan.wat`, assembled; `npm run wasm` prints it, and a test holds the two together. */
export const ASSEMBLED =
  'AGFzbQEAAAABCQFgBH9/f38BfwMCAQAFAwEAAwYkBX8AQYDABAt/AEGA8AQLfwBBgPQEC38AQYD4BAt/AEGAgAULBxcCBm1lbW9yeQIACmZpZWxkTGluZXMAAArMBQHJBQQBewl/AXsCfyMAIRADQCABQQFqIAJPBEBBfw8LIAEvAQBBjRRGBEAgECABQQJqIABrNgIAIBAgDDYCBCAQIA79UzYCCCAQIA02AgwgDw8LIA8gA0YEQEF/DwsgASEGA0AgBv0ABAAhBP0MOj8+Pz8/Pz8+Pj0VNBU9HCAEQQ/9D/1O/Q79DAAAAQIECBAgAAAAAAAAAAAgBEEE/Y0BQQ/9D/1O/Q79TkEA/Q/9I/1kIQUgBUUEQCAGQRBqIQYgBiACSQ0BQX8PCwsgBiAFaGohBiAGIAFrIQcgB0UgBi0AAEE6R3IEQEF/DwsgBkEBaiEIIAgtAABBIEYEQCAGQQJqIQgLQQAhCyMDIAdBH3FBBXQgAS0AAEEfcXJqLQAAIQogCgRAIwQgCkEFdGohCiAKLQAQIQsgCi0AEQRAIAH9AAQAQSD9D/1QIAr9AAQA/ST9ZCEFIAotABEgB0cgBWggB0lyBEBB/wEhCyAMQQFqIQwLBSABLwECQaDAAHIhBSALIAVB89gBRiAFQePMAUZycgRAQf8BIQsgDEEBaiEMCwsLIwEgD2ogCzoAACMCIA1qIA86AAAgDSALQQBHaiENIBAgASAAazYCACAQIAYgAGs2AgQgECAIIABrNgIIIAEhCQNAIAn9AAQAIQQgBEEf/Q/9KiAEQQn9D/0j/U8gBEH/AP0P/SP9UP1kIQUgC0ERRgRAIA4gBEHfAP0P/SMgCf0ABAFB3wD9D/0j/U4gBEHlAP0P/SMgCf0ABAFBLv0P/SP9Tv1Q/VAhDgsgBUUEQCAJQRBqIQkgCSACSQ0BQX8PCwsgCSAFaGohCSAJQQFqIAJPIAkvAQBBjRRHcgRAQX8PCyAJIAhLIAgtAABBIE0gCUEBay0AAEEgTXJxBEBBfw8LIBAgCSAAazYCDCAJQQJqIQEgEEEQaiEQIA9BAWohDwwACwAL';

/**
 * Sixteen octets a step, where JavaScript has to look at each: finding where names and values end was a tenth of what a
 * request took. It sees its own memory only, so what comes from origins is read into it, and the chunk that a
 * client's head came in is copied there.
 */
const scan = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(ASSEMBLED, 'base64')))
  .exports as OctetScan;

export const { fieldLines } = scan;

export const SHARED_BYTES = 65_536;
const WINDOW_AT = SHARED_BYTES;
/** Heads are shorter as a rule, and copying much more than is looked at would take longer than looking at it plainly. */
const WINDOW_BYTES = 4_096;
const LINES_AT = 0x12000;
const KINDS_AT = 0x13800;
const NOTABLE_AT = 0x13a00;
const INDEX_AT = 0x13c00;
const NAMES_AT = 0x14000;
const NAME_BYTES = 32;
const LONGEST_NAME = 16;
/** Of a name that has to be looked at by somebody who knows more of names. */
export const ASK = 255;
export const MOST_LINES = 256;

/** What origins send is read into this, and dealt with before anything else is. One for all wires of a process. */
export const sharedBytes = Buffer.from(scan.memory.buffer, 0, SHARED_BYTES);
export const sharedViews = new KeptViews(sharedBytes);
const window = Buffer.from(scan.memory.buffer, WINDOW_AT, WINDOW_BYTES);
export const lines = new Int32Array(scan.memory.buffer, LINES_AT, 4 * MOST_LINES + 4);
export const kinds = new Uint8Array(scan.memory.buffer, KINDS_AT, MOST_LINES);
export const notable = new Uint8Array(scan.memory.buffer, NOTABLE_AT, MOST_LINES + 1);
/** For each key, by length and first letter of a name, the place of the name to compare with; 0: there is none. */
const index = new Uint8Array(scan.memory.buffer, INDEX_AT, 1_024);
const names = new Uint8Array(scan.memory.buffer, NAMES_AT, 256 * NAME_BYTES);
let placed = 0;

/** Short heads' lines, to be copied in one piece. */
export const FEW_LINES = 24;
export const fewLines = lines.subarray(0, 4 * FEW_LINES);

/** A view of `bytes[from..to)`. */
export function partOf(bytes: Buffer, from: number, to: number): Buffer {
  return bytes === sharedBytes ? sharedViews.of(from, to) : bytes.subarray(from, to);
}

/** Makes `bytes` visible to the scan: what has to be added to an offset, or -1 when there is no room for so many. */
export function shownAt(bytes: Buffer): number {
  if (bytes === sharedBytes) return 0;
  if (bytes.length > WINDOW_BYTES) return -1;
  window.set(bytes);
  return WINDOW_AT;
}

/** Names with this key are of `kind` when they are `name`, in lower case, and otherwise have to be looked at. */
export function tellApart(key: number, name: Uint8Array, kind: number): void {
  placed += 1;
  index[key] = placed;
  const at = placed * NAME_BYTES;
  if (name.length <= LONGEST_NAME) names.set(name, at);
  names[at + LONGEST_NAME] = kind;
  names[at + LONGEST_NAME + 1] = name.length <= LONGEST_NAME ? name.length : 0;
}
