import net, { type Socket } from 'node:net';
import { HeaderDecoder } from '../../../src/gateway/http2/header-decoder.ts';
import { until } from '../harness.ts';

/** Frames as a test wants them, right or wrong, and what came back. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function setting(name: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([name >> 8, name & 0xff]), word(value)]);
}

/** Literals without indexing and without Huffman: what is given is what is sent. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(Buffer.from([0]), text(name), text(value));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** RFC 7541 §5.1, with a clear pattern. */
export function integer(value: number, prefix: number): Buffer {
  const most = (1 << prefix) - 1;
  if (value < most) return Buffer.from([value]);
  const octets = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  return Buffer.from([...octets, rest]);
}

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'shop.example.com'],
];
export const POST: readonly (readonly [string, string])[] = [[':method', 'POST'], ...GET.slice(1)];

export function headers(
  stream: number,
  fields: readonly (readonly [string, string])[],
  flags = END_STREAM | END_HEADERS,
): Buffer {
  return frame(TYPE.headers, flags, stream, block(fields));
}

export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest: Buffer = Buffer.alloc(0);
  readonly #decoder = new HeaderDecoder(1_000_000);
  readonly #statuses = new Map<number, string[]>();
  readonly #fields = new Map<number, string[]>();

  constructor(port: number) {
    this.socket = net.connect({ host: '127.0.0.1', port });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => this.#came(chunk));
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Preface and empty SETTINGS first. */
  static greet(port: number): RawClient {
    const client = new RawClient(port);
    client.send(PREFACE, frame(TYPE.settings, 0, 0));
    return client;
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  #came(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) return;
      const [type, flags] = [this.#rest[3]!, this.#rest[4]!];
      const stream = this.#rest.readUInt32BE(5);
      const payload = this.#rest.subarray(9, 9 + length);
      this.#rest = this.#rest.subarray(9 + length);
      this.frames.push({ type, flags, stream, payload });
      if (type === TYPE.headers) this.#headersCame(stream, payload);
    }
  }

  #headersCame(stream: number, payload: Buffer): void {
    if (!this.#decoder.decode(payload, 0, payload.length)) throw new Error('not HPACK');
    const { raw } = this.#decoder;
    const status = raw[0] === ':status' ? raw[1]! : 'trailers';
    this.#statuses.set(stream, [...(this.#statuses.get(stream) ?? []), status]);
    this.#fields.set(stream, raw);
  }

  /** Of all heads that came on a stream. */
  statuses(stream: number): readonly string[] {
    return this.#statuses.get(stream) ?? [];
  }

  fields(stream: number): readonly string[] {
    return this.#fields.get(stream) ?? [];
  }

  of(type: number, stream?: number): readonly Frame[] {
    return this.frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream));
  }

  /** The error code of RST_STREAM, if it came. */
  resetOf(stream: number): number | undefined {
    return this.of(TYPE.reset, stream)[0]?.payload.readUInt32BE(0);
  }

  get goAway(): { readonly last: number; readonly code: number } | undefined {
    const payload = this.of(TYPE.goAway).at(-1)?.payload;
    return payload === undefined
      ? undefined
      : { last: payload.readUInt32BE(0), code: payload.readUInt32BE(4) };
  }

  body(stream: number): string {
    return Buffer.concat(this.of(TYPE.data, stream).map(({ payload }) => payload)).toString('latin1');
  }

  hasEnded(stream: number): boolean {
    return this.frames.some(
      ({ type, flags, stream: its }) =>
        its === stream && (type === TYPE.data || type === TYPE.headers) && (flags & END_STREAM) !== 0,
    );
  }

  async answered(stream: number): Promise<string> {
    await until(() => this.hasEnded(stream) || this.resetOf(stream) !== undefined || this.isClosed);
    return this.statuses(stream).at(-1) ?? 'nothing';
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed);
  }
}
