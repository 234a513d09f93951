import { CHUNKED, EVENT_STREAM } from '../wire.ts';
import * as kinds from './field-names.ts';
import { FieldSection, INCOMPLETE, MALFORMED, TOO_LARGE, TOO_MANY, unfinished } from './field-section.ts';
import { contentLength, isChunked } from './framing.ts';
import { CR, equals, equalsLower, FIELD_VALUE, isDigit, LF, SP } from './octets.ts';
import type { HeadLimits, HeadState } from './request-head.ts';

/** Platforms' routers add a dozen of their own, applications a cookie for everything. */
const MAX_FIELDS = 200;
const VERSION_LENGTH = 'HTTP/1.1'.length;
const BEGINNING = 'HTTP/1.';

/** `ResponseHeadReader.bodyLength` of a body that ends with its connection. */
export const UNTIL_CLOSE = -2;

/**
 * Reads response heads (RFC 9112 §4, §5, §6). `refused` means that nobody can say where this answer ends, or what it
 * says; `detail` tells why.
 */
export class ResponseHeadReader {
  /** What it was made for. */
  readonly limits: HeadLimits;
  state: HeadState = 'incomplete';
  detail = '';
  readonly fields = new FieldSection(MAX_FIELDS);
  status = 0;
  isHttp10 = false;
  /** The status line can be sent on as it is: it names our version, and has the space that belongs there. */
  lineStands = true;
  /** Bytes, CHUNKED or UNTIL_CLOSE. */
  bodyLength = 0;
  /** The connection can carry another exchange, if this one ends well. */
  keepAlive = true;
  /** Connection names fields of its own: what may pass depends on it. */
  nominates = false;
  hasDate = false;
  hasCookies = false;
  isEventStream = false;
  /** Index of the field, or -1. */
  lengthField = -1;
  reasonFrom = 0;
  reasonTo = 0;
  readonly headBytes: number;
  #start = 0;
  #lineRead = false;
  /** It answers a HEAD, so there is no body whatever it says. */
  toHead = false;

  constructor(limits: HeadLimits) {
    this.limits = limits;
    this.headBytes = limits.headBytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.fields.end;
  }

  get reason(): string {
    const { bytes } = this.fields;
    if (equals(bytes, this.reasonFrom, this.reasonTo, 'OK')) return 'OK';
    return bytes.toString('latin1', this.reasonFrom, this.reasonTo);
  }

  /** The next head begins at `at`. */
  begin(at: number): void {
    this.state = 'incomplete';
    this.#start = at;
    this.#lineRead = false;
    this.fields.begin(at);
  }

  read(bytes: Buffer, end: number): HeadState {
    const limit = this.#start + this.headBytes;
    if (!this.#lineRead) {
      const fault = this.#readLine(bytes, end, limit);
      if (fault !== 0) return this.#stop(fault, 'no valid status line');
      this.#lineRead = true;
    }
    const scanned = this.fields.scan(bytes, end, limit);
    if (scanned < 0) return this.#stop(scanned, 'a malformed field line');
    const fault = this.#judge();
    if (fault !== undefined) return this.#refuse(fault);
    this.state = 'complete';
    return this.state;
  }

  /** The same head stands at the beginning of these bytes now. */
  moveTo(bytes: Buffer): void {
    this.fields.moveTo(bytes, this.#start);
    this.reasonFrom -= this.#start;
    this.reasonTo -= this.#start;
    this.#start = 0;
  }

  release(): void {
    this.fields.release();
  }

  #stop(code: number, what: string): HeadState {
    if (code === INCOMPLETE) return this.state;
    return this.#refuse(code === TOO_LARGE || code === TOO_MANY ? 'a head over the limit' : what);
  }

  #refuse(detail: string): HeadState {
    this.detail = detail;
    this.state = 'refused';
    return this.state;
  }

  // ── status line ──────────────────────────────────────────────────────────────────────────────────────────────

  /** 0, or the code it stopped with. */
  #readLine(bytes: Buffer, end: number, limit: number): number {
    let at = this.#start + VERSION_LENGTH;
    if (at + 4 > end) return this.#foreignOr(bytes, end, limit);
    const isHttp11 = equals(bytes, this.#start, at, 'HTTP/1.1');
    this.isHttp10 = !isHttp11 && equals(bytes, this.#start, at, 'HTTP/1.0');
    if (!isHttp11 && !this.isHttp10) return this.#foreignOr(bytes, end, limit);
    const hundreds = bytes[at + 1]!;
    const tens = bytes[at + 2]!;
    const ones = bytes[at + 3]!;
    if (bytes[at] !== SP || !isDigit(hundreds) || !isDigit(tens) || !isDigit(ones))
      return unfinished(bytes, at, end, limit);
    const status = 100 * (hundreds - 0x30) + 10 * (tens - 0x30) + (ones - 0x30);
    // Beyond 599 there is no class to treat it by (RFC 9110 §15).
    if (status < 100 || status > 599) return unfinished(bytes, at, end, limit);
    at += 4;
    // Some servers leave the reason out together with its space.
    const hasSpace = at < end && bytes[at] === SP;
    if (hasSpace) at += 1;
    else if (at < end && bytes[at] !== CR) return unfinished(bytes, at, end, limit);
    const reasonFrom = at;
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at += 1;
    if (at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return unfinished(bytes, at, end, limit);
    if (at + 2 > limit) return TOO_LARGE;
    this.status = status;
    this.lineStands = hasSpace && !this.isHttp10;
    this.reasonFrom = reasonFrom;
    this.reasonTo = at;
    this.fields.begin(at + 2);
    return 0;
  }

  /** What does not begin like HTTP is not looked at any longer: it may never end a line. */
  #foreignOr(bytes: Buffer, end: number, limit: number): number {
    const to = Math.min(end, this.#start + BEGINNING.length);
    if (!equals(bytes, this.#start, to, BEGINNING.slice(0, to - this.#start))) return MALFORMED;
    return unfinished(bytes, this.#start, end, limit);
  }

  // ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Says what is wrong with the framing, if anything is. */
  #judge(): string | undefined {
    const { fields } = this;
    let coding = -1;
    let closes = false;
    let keeps = false;
    this.lengthField = -1;
    this.nominates = false;
    this.hasDate = false;
    this.hasCookies = false;
    this.isEventStream = false;
    for (let n = 0; n < fields.notables; n += 1) {
      const i = fields.notable[n]!;
      switch (fields.kinds[i]) {
        case kinds.CONTENT_LENGTH:
          if (this.lengthField >= 0) return 'two Content-Length';
          this.lengthField = i;
          break;
        case kinds.TRANSFER_ENCODING:
          if (coding >= 0) return 'two Transfer-Encoding';
          coding = i;
          break;
        case kinds.DATE:
          this.hasDate = true;
          break;
        case kinds.CONTENT_TYPE: {
          const from = fields.spans[4 * i + 2]!;
          const to = Math.min(fields.spans[4 * i + 3]!, from + EVENT_STREAM.length);
          this.isEventStream = equalsLower(fields.bytes, from, to, EVENT_STREAM);
          break;
        }
        case kinds.SET_COOKIE:
          this.hasCookies = true;
          break;
        case kinds.CONNECTION: {
          const from = fields.spans[4 * i + 2]!;
          const to = fields.spans[4 * i + 3]!;
          if (equalsLower(fields.bytes, from, to, 'keep-alive')) keeps = true;
          else if (equalsLower(fields.bytes, from, to, 'close')) closes = true;
          else {
            this.nominates = true;
            closes ||= /(^|,)\s*close\s*(,|$)/i.test(fields.value(i));
          }
          break;
        }
      }
    }
    this.keepAlive = !closes && (keeps || !this.isHttp10);
    return this.#judgeFraming(coding);
  }

  /** RFC 9112 §6.3; where it lets a proxy repair the message, we refuse it. */
  #judgeFraming(coding: number): string | undefined {
    const length = this.lengthField < 0 ? 0 : contentLength(this.fields, this.lengthField);
    if (length < 0) return 'an invalid Content-Length';
    if (coding >= 0) {
      if (this.lengthField >= 0) return 'both Content-Length and Transfer-Encoding';
      if (this.isHttp10) return 'Transfer-Encoding in HTTP/1.0';
      if (!isChunked(this.fields, coding)) return 'a transfer coding we do not know';
    }
    if (this.toHead || this.status < 200 || this.status === 204 || this.status === 304) this.bodyLength = 0;
    else if (coding >= 0) this.bodyLength = CHUNKED;
    else this.bodyLength = this.lengthField >= 0 ? length : UNTIL_CLOSE;
    if (this.bodyLength === UNTIL_CLOSE) this.keepAlive = false;
    return undefined;
  }
}
