import { BACKSLASH, CR, DQUOTE, EQUALS, FIELD_VALUE, HEX, LF, SEMICOLON, TOKEN } from './octets.ts';

/** Thirteen hex digits stay exact in a double. */
const MAX_DIGITS = 13;
const MAX_EXTENSION_BYTES = 256;

type State =
  | 'size'
  | 'name'
  | 'name-first'
  | 'value-first'
  | 'value'
  | 'quoted'
  | 'escaped'
  | 'unquoted'
  | 'lf';

/**
 * `chunk-size [ chunk-ext ] CRLF` (RFC 9112 §7.1), byte by byte, because it may be cut anywhere. Digits only: no sign,
 * no `0x`, no white space. Extensions are checked for their grammar, bounded, and dropped.
 */
export class ChunkLine {
  size = 0;
  #digits = 0;
  #extension = 0;
  #state: State = 'size';

  begin(): void {
    this.size = 0;
    this.#digits = 0;
    this.#extension = 0;
    this.#state = 'size';
  }

  /** True after the LF, false when the line goes on; undefined for a byte that cannot stand there. */
  take(octet: number): boolean | undefined {
    if (this.#state === 'size') return this.#takeSize(octet);
    if (this.#state === 'lf') return octet === LF ? true : undefined;
    this.#extension += 1;
    if (this.#extension > MAX_EXTENSION_BYTES) return undefined;
    return this.#takeExtension(octet);
  }

  #takeSize(octet: number): boolean | undefined {
    const digit = HEX[octet]!;
    if (digit !== 255) {
      this.#digits += 1;
      this.size = 16 * this.size + digit;
      return this.#digits > MAX_DIGITS ? undefined : false;
    }
    if (this.#digits === 0) return undefined;
    return this.#takeSeparator(octet);
  }

  #takeSeparator(octet: number): boolean | undefined {
    if (octet === CR) this.#state = 'lf';
    else if (octet === SEMICOLON) this.#state = 'name-first';
    else return undefined;
    return false;
  }

  #takeExtension(octet: number): boolean | undefined {
    switch (this.#state) {
      case 'name-first':
        if (TOKEN[octet] === 0) return undefined;
        this.#state = 'name';
        return false;
      case 'name':
        if (octet === EQUALS) {
          this.#state = 'value-first';
          return false;
        }
        return TOKEN[octet] !== 0 ? false : this.#takeSeparator(octet);
      case 'value-first':
        if (octet === DQUOTE) this.#state = 'quoted';
        else if (TOKEN[octet] !== 0) this.#state = 'value';
        else return undefined;
        return false;
      case 'value':
        return TOKEN[octet] !== 0 ? false : this.#takeSeparator(octet);
      case 'quoted':
        if (octet === DQUOTE) this.#state = 'unquoted';
        else if (octet === BACKSLASH) this.#state = 'escaped';
        else if (FIELD_VALUE[octet] === 0) return undefined;
        return false;
      case 'escaped':
        if (FIELD_VALUE[octet] === 0) return undefined;
        this.#state = 'quoted';
        return false;
      default:
        return this.#takeSeparator(octet);
    }
  }
}
