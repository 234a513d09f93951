export interface AskedRequest {
  readonly method: string;
  readonly target: string;
  /** The asker closes, or wants us to close, after the answer. */
  readonly closes: boolean;
}

/**
 * Reads the requests of one connection to an origin, in whatever pieces they come. Only what proxies send for the
 * drill's load: bodies with a length. Anything else throws.
 */
export class RequestReader {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): readonly AskedRequest[] {
    let at = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const whole: AskedRequest[] = [];
    for (;;) {
      const end = at.indexOf('\r\n\r\n');
      if (end < 0) break;
      const head = at.toString('latin1', 0, end);
      if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('a chunked request');
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (at.length < end + 4 + length) break;
      at = at.subarray(end + 4 + length);
      const [method = '', target = '', version] = head.split('\r\n', 1)[0]!.split(' ');
      const closes = version === 'HTTP/1.0' || /\r\nconnection: *close/i.test(head);
      whole.push({ method, target, closes });
    }
    this.#rest = at;
    return whole;
  }
}
