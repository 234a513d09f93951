import { COPY_BYTES, type Outlet } from '../http1/outlet.ts';
import type { FlatHeaders, Written } from '../wire.ts';
import * as frames from './frames.ts';
import { HeaderEncoder } from './header-encoder.ts';

/** Puts frames on the way to one client. What may be said when is not its question. */
export class FrameWriter {
  /** Our last word is said: streams that end now say nothing more. */
  isSilent = false;
  readonly #outlet: Outlet;
  readonly #encoder = new HeaderEncoder();

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** The client's decoder keeps no larger table. */
  limitTable(bytes: number): void {
    this.#encoder.limitTable(bytes);
  }

  /** HEADERS, and CONTINUATION where they do not fit. Names in lower case; `status` 0: trailers. */
  head(stream: number, status: number, fields: FlatHeaders, endStream: boolean): void {
    const encoder = this.#encoder;
    encoder.begin();
    if (status !== 0) encoder.status(status);
    for (let i = 0; i + 1 < fields.length; i += 2) encoder.field(fields[i]!, fields[i + 1]!);
    const { bytes, length } = encoder;
    let type = frames.HEADERS;
    let at = 0;
    do {
      const to = Math.min(length, at + frames.MAX_FRAME_BYTES);
      let flags = to === length ? frames.FLAG_END_HEADERS : 0;
      if (type === frames.HEADERS && endStream) flags |= frames.FLAG_END_STREAM;
      const head = frames.frameHead(to - at, type, flags, stream);
      const staging = this.#outlet.stage(head.length + to - at);
      staging.text(head);
      staging.octets(bytes, at, to);
      type = frames.CONTINUATION;
      at = to;
    } while (at < length);
  }

  data(stream: number, chunk: Uint8Array, isLast: boolean): Written {
    const flags = isLast ? frames.FLAG_END_STREAM : 0;
    const head = frames.frameHead(chunk.length, frames.DATA, flags, stream);
    this.#outlet.stage(head.length + Math.min(chunk.length, COPY_BYTES)).text(head);
    return this.#outlet.send(chunk);
  }

  reset(stream: number, code: number): void {
    if (!this.isSilent) this.#say(frames.RST_STREAM, 0, stream, frames.word(code));
  }

  /** Opens the client's window by so many bytes; stream 0 is the connection. */
  widen(stream: number, bytes: number): void {
    if (!this.isSilent) this.#say(frames.WINDOW_UPDATE, 0, stream, frames.word(bytes));
  }

  /** Pairs of name and value, RFC 9113 §6.5.2. */
  settings(values: readonly (readonly [number, number])[]): void {
    this.#say(frames.SETTINGS, 0, 0, values.map(setting).join(''));
  }

  settingsTaken(): void {
    this.#say(frames.SETTINGS, frames.FLAG_ACK, 0, '');
  }

  /** The answer to a PING: its eight octets, as they came. */
  pong(payload: string): void {
    this.#say(frames.PING, frames.FLAG_ACK, 0, payload);
  }

  goAway(lastStream: number, code: number): void {
    this.#say(frames.GOAWAY, 0, 0, frames.word(lastStream) + frames.word(code));
  }

  #say(type: number, flags: number, stream: number, payload: string): void {
    const text = frames.frameHead(payload.length, type, flags, stream) + payload;
    this.#outlet.stage(text.length).text(text);
  }
}

function setting([name, value]: readonly [number, number]): string {
  return String.fromCharCode(name >> 8, name & 0xff) + frames.word(value);
}
