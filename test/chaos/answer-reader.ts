const HEAD_END = Buffer.from('\r\n\r\n');

type Part = 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' | 'whole';

/**
 * Reads the answers of one client connection, one after the other, in whatever pieces they come. It trusts nothing
 * that the proxy says about an answer: the length of its framing and what was in it are told apart, so that an answer
 * that was cut on its way and then framed as a whole one is found out.
 */
export class AnswerReader {
  status = 0;
  /** The `x-origin` that answered; empty when a proxy spoke itself. */
  origin = '';
  /** No further request may be sent on this connection. */
  closes = false;
  /** Bytes of the body so far, without framing. */
  bodyBytes = 0;
  /** The last of them. */
  lastByte = 0;
  #part: Part = 'head';
  #left = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Some bytes of an answer were read. */
  get begun(): boolean {
    return this.status > 0;
  }

  reset(): void {
    this.status = 0;
    this.origin = '';
    this.closes = false;
    this.bodyBytes = 0;
    this.lastByte = 0;
    this.#part = 'head';
  }

  /** True when the answer is whole. Throws at bytes behind it: nothing else was asked. */
  push(bytes: Buffer): boolean {
    let at = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = Buffer.alloc(0);
    while (at.length > 0) {
      if (this.#part === 'whole') throw new Error(`${at.length} bytes that nobody asked for`);
      const used = this.#step(at);
      if (used === 0) {
        this.#rest = at;
        break;
      }
      at = at.subarray(used);
    }
    return this.#part === 'whole';
  }

  /** The connection has ended. True when that is how this answer was to end. */
  ended(): boolean {
    return this.#part === 'until-close';
  }

  /** How many bytes it could use; 0 when it needs more. */
  #step(bytes: Buffer): number {
    switch (this.#part) {
      case 'head':
        return this.#head(bytes);
      case 'length':
      case 'chunk':
        return this.#body(bytes);
      case 'until-close':
        return this.#take(bytes, bytes.length);
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return this.#line(bytes);
      case 'whole':
        return 0;
    }
  }

  #head(bytes: Buffer): number {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return 0;
    const head = bytes.toString('latin1', 0, end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    if (!(status >= 100)) throw new Error(`no HTTP: "${head.slice(0, 40)}"`);
    // An interim answer is not the one we wait for.
    if (status < 200) return end + 4;
    this.status = status;
    this.origin = field(head, 'x-origin') ?? '';
    this.closes = head.startsWith('HTTP/1.0') || /\r\nconnection: *close/i.test(head);
    const length = field(head, 'content-length');
    if (status === 204 || status === 304) this.#part = 'whole';
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#part = 'chunk-size';
    else if (length === undefined) {
      this.#part = 'until-close';
      this.closes = true;
    } else {
      this.#left = Number(length);
      this.#part = this.#left === 0 ? 'whole' : 'length';
    }
    return end + 4;
  }

  #body(bytes: Buffer): number {
    const taken = this.#take(bytes, Math.min(this.#left, bytes.length));
    this.#left -= taken;
    if (this.#left === 0) this.#part = this.#part === 'chunk' ? 'chunk-end' : 'whole';
    return taken;
  }

  #take(bytes: Buffer, count: number): number {
    this.bodyBytes += count;
    this.lastByte = bytes[count - 1] ?? 0;
    return count;
  }

  #line(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end < 0) return 0;
    if (this.#part === 'chunk-end') this.#part = 'chunk-size';
    else if (this.#part === 'trailers') {
      if (end === 0) this.#part = 'whole';
    } else {
      const size = bytes.toString('latin1', 0, end);
      if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`no chunk size: "${size.slice(0, 40)}"`);
      this.#left = Number.parseInt(size, 16);
      this.#part = this.#left === 0 ? 'trailers' : 'chunk';
    }
    return end + 2;
  }
}

function field(head: string, name: string): string | undefined {
  const from = head.toLowerCase().indexOf(`\r\n${name}:`);
  if (from < 0) return undefined;
  const start = from + name.length + 3;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? undefined : end).trim();
}
