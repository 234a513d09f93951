import net, { type Server } from 'node:net';
import { FrameReader, type FrameSink } from '../../../src/gateway/http2/frame-reader.ts';
import { HEADERS } from '../../../src/gateway/http2/frames.ts';
import { HeaderDecoder } from '../../../src/gateway/http2/header-decoder.ts';
import { listen, until } from '../harness.ts';
import { frame, TYPE } from './raw-client.ts';

/** A server that only writes down the heads it is sent. */
export class Recorder implements FrameSink {
  readonly isOver = false;
  readonly #heads: (readonly string[])[] = [];
  readonly #reader = new FrameReader();
  readonly #decoder = new HeaderDecoder(65_536);

  async listen(): Promise<Server> {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => this.#reader.read(chunk, this));
      socket.write(frame(TYPE.settings, 0, 0));
    });
    await listen(server);
    return server;
  }

  async heads(count: number): Promise<readonly (readonly string[])[]> {
    await until(() => this.#heads.length === count);
    return this.#heads;
  }

  frame(type: number, flags: number, _stream: number, bytes: Buffer, from: number, to: number): void {
    if (type !== HEADERS) return;
    const isPrioritised = (flags & 0x20) !== 0;
    if (!this.#decoder.decode(bytes, isPrioritised ? from + 5 : from, to)) throw new Error('not HPACK');
    this.#heads.push(this.#decoder.raw);
  }

  noPreface(): void {
    throw new Error('no preface');
  }

  oversized(): void {
    throw new Error('too large a frame');
  }
}
