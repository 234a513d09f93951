import { Buffer } from 'node:buffer';

/** The lines that tell an origin who the client is, as bytes of a head. A client asks for one host again and again. */
export class ForwardedLines {
  /** Without X-Forwarded-Host. */
  readonly #text: string;
  #host: string | undefined = undefined;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(fields: readonly string[]) {
    let text = '';
    for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    this.#text = text;
  }

  /** Empty: the client named no host. */
  withHost(host: string): Uint8Array {
    if (host !== this.#host) {
      const line = host === '' ? '' : `x-forwarded-host: ${host}\r\n`;
      this.#bytes = Buffer.from(line + this.#text, 'latin1');
      this.#host = host;
    }
    return this.#bytes;
  }
}
