import type { LimitSettings } from '../../core/settings.ts';
import { connectionOptions } from '../headers.ts';
import type { OutageStatus } from '../outage-answers.ts';
import { CHUNKED } from '../wire.ts';
import * as kinds from './field-names.ts';
import { FieldSection, INCOMPLETE, MALFORMED, TOO_LARGE, TOO_MANY, unfinished } from './field-section.ts';
import { contentLength, isChunked } from './framing.ts';
import { isMethod, methodOf } from './methods.ts';
import { CR, DOT, equals, equalsLower, isDigit, LF, SLASH, SP, STAR, TARGET, TOKEN } from './octets.ts';
import { isAuthority, reduceAbsolute } from './request-target.ts';

const VERSION_LENGTH = 'HTTP/1.1'.length;

/**
 * `incomplete`: more bytes are needed; `complete`: everything is known; `refused`: `refusal` is the status to answer
 * with, and what follows on the connection cannot be trusted.
 */
export type HeadState = 'incomplete' | 'complete' | 'refused';

export interface HeadLimits {
  readonly headBytes: number;
}

export type RequestHeadLimits = Pick<LimitSettings, 'headBytes' | 'targetBytes' | 'fields'>;

/**
 * Reads request heads, one after the other (RFC 9112 §3, §5, §6): validates them and finds their framing in one pass
 * over the bytes they came in. What it has read is valid until `begin` or `release`.
 */
export class RequestHeadReader {
  /** What it was made for. */
  readonly limits: RequestHeadLimits;
  state: HeadState = 'incomplete';
  refusal: OutageStatus = 400;
  readonly fields: FieldSection;
  method = '';
  host = '';
  /** 0: none; CHUNKED: not announced. */
  bodyLength = 0;
  /** `websocket`, or undefined. */
  upgrade: string | undefined = undefined;
  isHttp10 = false;
  /** Where the request line begins, and whether it can be sent on as it is: it names no host and our version. */
  lineFrom = 0;
  lineStands = true;
  keepAlive = true;
  expectsContinue = false;
  acceptsTrailers = false;
  /** Connection names fields of its own: what may pass depends on it. */
  nominates = false;
  hasVia = false;
  readonly headBytes: number;
  readonly #targetBytes: number;
  #start = 0;
  #lineRead = false;
  #targetFrom = 0;
  #targetTo = 0;
  /** Made when somebody asks: nearly all routes hold all paths. */
  #target: string | undefined = undefined;
  /** The last one that proved valid: clients repeat theirs. */
  #knownHost: string | undefined = undefined;

  constructor(limits: RequestHeadLimits) {
    this.limits = limits;
    this.headBytes = limits.headBytes;
    this.#targetBytes = limits.targetBytes;
    this.fields = new FieldSection(limits.fields);
  }

  /** Where the head ends, once complete. */
  get end(): number {
    return this.fields.end;
  }

  get start(): number {
    return this.#start;
  }

  /** In origin form or `*`, as long as the bytes are there. */
  get target(): string {
    this.#target ??= this.fields.bytes.toString('latin1', this.#targetFrom, this.#targetTo);
    return this.#target;
  }

  /** The next head begins at `at`, wherever that will be. */
  begin(at: number): void {
    this.state = 'incomplete';
    this.refusal = 400;
    this.#start = at;
    this.#lineRead = false;
    this.fields.begin(at);
  }

  /** Looks at `bytes` up to `end`. As long as it is incomplete, call it again when more has come behind the same bytes. */
  read(bytes: Buffer, end: number): HeadState {
    const limit = this.#start + this.headBytes;
    if (!this.#lineRead) {
      const fault = this.#readLine(bytes, end, limit);
      // What a request line has too much of can only be its target.
      if (fault !== 0) return fault === TOO_LARGE ? this.#refuse(414) : this.#stop(fault);
      this.#lineRead = true;
    }
    const scanned = this.fields.scan(bytes, end, limit);
    if (scanned < 0) return this.#stop(scanned);
    const refusal = this.#judge();
    if (refusal !== undefined) return this.#refuse(refusal);
    this.state = 'complete';
    return this.state;
  }

  release(): void {
    this.fields.release();
  }

  #stop(code: number): HeadState {
    if (code === INCOMPLETE) return this.state;
    return this.#refuse(code === TOO_LARGE || code === TOO_MANY ? 431 : this.refusal);
  }

  #refuse(status: OutageStatus): HeadState {
    this.refusal = status;
    this.state = 'refused';
    return this.state;
  }

  // ── request line ─────────────────────────────────────────────────────────────────────────────────────────────

  /** 0, or the code it stopped with. */
  #readLine(bytes: Buffer, end: number, limit: number): number {
    let at = this.#start;
    // Empty lines some clients send behind a body (RFC 9112 §2.2).
    while (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at += 2;
    const methodFrom = at;
    while (at < end && TOKEN[bytes[at]!] !== 0) at += 1;
    // What does not begin like a request, such as TLS, may never end a line.
    if (at < end && at === methodFrom && (bytes[at] !== CR || at + 1 < end)) return MALFORMED;
    if (at === end || at === methodFrom || bytes[at] !== SP) return unfinished(bytes, at, end, limit);
    const methodTo = at;
    at += 1;
    const targetFrom = at;
    while (at < end && TARGET[bytes[at]!] === 1) at += 1;
    if (at === end || at === targetFrom || bytes[at] !== SP) return unfinished(bytes, at, end, limit);
    const targetTo = at;
    at += 1;
    const lineTo = at + VERSION_LENGTH;
    if (lineTo + 2 > end) return unfinished(bytes, at, end, limit);
    if (lineTo + 2 > limit) return TOO_LARGE;
    const isHttp11 = equals(bytes, at, lineTo, 'HTTP/1.1');
    this.isHttp10 = !isHttp11 && equals(bytes, at, lineTo, 'HTTP/1.0');
    if (bytes[lineTo] !== CR || bytes[lineTo + 1] !== LF) return unfinished(bytes, at, end, limit);
    if (!isHttp11 && !this.isHttp10) {
      if (isVersion(bytes, at)) this.refusal = 505;
      return unfinished(bytes, at, end, limit);
    }
    if (targetTo - targetFrom > this.#targetBytes) return TOO_LARGE;
    this.lineFrom = methodFrom;
    this.lineStands = isHttp11;
    this.method = methodOf(bytes, methodFrom, methodTo);
    this.#targetFrom = targetFrom;
    this.#targetTo = targetTo;
    this.#target = undefined;
    this.host = '';
    this.fields.begin(lineTo + 2);
    return 0;
  }

  // ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the known fields mean together. */
  #judge(): OutageStatus | undefined {
    const { fields } = this;
    let host = -1;
    let length = -1;
    let coding = -1;
    let upgrade = -1;
    let upgrading = false;
    let closes = false;
    let keeps = false;
    this.expectsContinue = false;
    this.acceptsTrailers = false;
    this.nominates = false;
    this.hasVia = false;

    for (let n = 0; n < fields.notables; n += 1) {
      const i = fields.notable[n]!;
      switch (fields.kinds[i]) {
        case kinds.HOST:
          if (host >= 0) return 400;
          host = i;
          break;
        case kinds.CONTENT_LENGTH:
          if (length >= 0) return 400;
          length = i;
          break;
        case kinds.TRANSFER_ENCODING:
          if (coding >= 0) return 400;
          coding = i;
          break;
        case kinds.CONNECTION: {
          const from = fields.spans[4 * i + 2]!;
          const to = fields.spans[4 * i + 3]!;
          if (equalsLower(fields.bytes, from, to, 'keep-alive')) keeps = true;
          else if (equalsLower(fields.bytes, from, to, 'close')) closes = true;
          else {
            const options = connectionOptions(fields.value(i));
            if (options === undefined) return 400;
            for (const option of options) {
              if (option === 'close') closes = true;
              else if (option === 'keep-alive') keeps = true;
              else if (option === 'upgrade') upgrading = true;
              else this.nominates = true;
            }
          }
          break;
        }
        case kinds.UPGRADE:
          upgrade = i;
          break;
        case kinds.EXPECT:
          if (fields.value(i).toLowerCase() !== '100-continue') return 417;
          this.expectsContinue = !this.isHttp10;
          break;
        case kinds.VIA:
          this.hasVia = true;
          break;
        case kinds.TE:
          this.acceptsTrailers ||= /(^|,)\s*trailers\s*(,|;|$)/i.test(fields.value(i));
          break;
      }
    }

    this.keepAlive = !closes && (keeps || !this.isHttp10);
    return (
      this.#judgeFraming(length, coding) ?? this.#judgeTarget(host) ?? this.#judgeUpgrade(upgrade, upgrading)
    );
  }

  /** RFC 9112 §6.3; where it lets a server guess, we refuse. */
  #judgeFraming(length: number, coding: number): OutageStatus | undefined {
    this.bodyLength = 0;
    if (coding >= 0) {
      if (length >= 0 || this.isHttp10) return 400;
      if (!isChunked(this.fields, coding)) return 501;
      this.bodyLength = CHUNKED;
    } else if (length >= 0) {
      this.bodyLength = contentLength(this.fields, length);
      if (this.bodyLength < 0) return 400;
    }
    return undefined;
  }

  #judgeTarget(host: number): OutageStatus | undefined {
    if (host >= 0) {
      this.host = this.#hostText(host);
      if (this.host !== this.#knownHost) {
        if (!isAuthority(this.host)) return 400;
        this.#knownHost = this.host;
      }
    } else if (!this.isHttp10) return 400;

    const { method } = this;
    if (method === 'CONNECT') return 405;
    const first = this.fields.bytes[this.#targetFrom];
    if (first !== SLASH) {
      if (first === STAR && this.#targetTo === this.#targetFrom + 1) {
        if (method !== 'OPTIONS') return 400;
      } else {
        const reduced = reduceAbsolute(this.target, method);
        if (reduced === undefined) return 400;
        this.lineStands = false;
        this.#target = reduced.target;
        this.host = reduced.authority;
      }
    }
    return isMethod(method) ? undefined : 501;
  }

  #hostText(index: number): string {
    const { bytes, spans } = this.fields;
    const from = spans[4 * index + 2]!;
    const to = spans[4 * index + 3]!;
    const known = this.#knownHost;
    return known !== undefined && equals(bytes, from, to, known) ? known : bytes.toString('latin1', from, to);
  }

  #judgeUpgrade(upgrade: number, upgrading: boolean): OutageStatus | undefined {
    this.upgrade = undefined;
    if (upgrade < 0 || !upgrading || this.isHttp10) return undefined;
    if (this.fields.value(upgrade).toLowerCase() !== 'websocket') return undefined;
    // A body before the switch could be read as the first bytes after it.
    if (this.bodyLength !== 0 || this.method !== 'GET') return 400;
    this.upgrade = 'websocket';
    return undefined;
  }
}

/** `HTTP/`, a digit, a dot and a digit: a version, whether we speak it or not. */
function isVersion(bytes: Buffer, at: number): boolean {
  return (
    equals(bytes, at, at + 5, 'HTTP/') &&
    isDigit(bytes[at + 5]!) &&
    bytes[at + 6] === DOT &&
    isDigit(bytes[at + 7]!)
  );
}
