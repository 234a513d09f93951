/** The bytes HTTP/1.1 is made of (RFC 9110 §5.6.2, RFC 9112 §2.2), as tables: one look-up a byte. */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const STAR = 0x2a;
export const DASH = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;
export const UNDERSCORE = 0x5f;

/** The lower-case form of a token character; 0 for any other byte. */
export const TOKEN = table((octet) => {
  const char = String.fromCharCode(octet);
  return /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char) ? char.toLowerCase().charCodeAt(0) : 0;
});

/** 1 for what a field value or a reason phrase may hold: HTAB, SP, VCHAR, obs-text. */
export const FIELD_VALUE = table((octet) => (octet === HTAB || (octet >= SP && octet !== 0x7f) ? 1 : 0));

/** 1 for what a request target may hold: VCHAR without `#`. A byte above 127 belongs in no URL. */
export const TARGET = table((octet) => (octet > SP && octet < 0x7f && octet !== 0x23 ? 1 : 0));

/** The value of a hex digit; 255 for any other byte. */
export const HEX = table((octet) => {
  const char = String.fromCharCode(octet);
  return /[0-9A-Fa-f]/.test(char) ? Number.parseInt(char, 16) : 255;
});

export function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

/** Whether `bytes[from..to)` is this lower-case ASCII text, in any case. */
export function equalsLower(bytes: Uint8Array, from: number, to: number, lower: string): boolean {
  if (to - from !== lower.length) return false;
  for (let i = 0; i < lower.length; i += 1) {
    const octet = bytes[from + i]!;
    const folded = octet >= 0x41 && octet <= 0x5a ? octet + 32 : octet;
    if (folded !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether `bytes[from..to)` is exactly this ASCII text. */
export function equals(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[from + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function table(entry: (octet: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => entry(octet));
}
