import { expect, it } from '@jest/globals';
import { FrameReader, type FrameSink } from '../../../src/gateway/http2/frame-reader.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { frame, PREFACE } from './raw-client.ts';

class Sink implements FrameSink {
  isOver = false;
  readonly got: string[] = [];

  frame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    this.got.push(`${type} ${flags} ${stream} ${bytes.toString('latin1', from, to)}`);
  }

  noPreface(): void {
    this.got.push('no preface');
    this.isOver = true;
  }

  oversized(): void {
    this.got.push('oversized');
    this.isOver = true;
  }
}

function read(chunks: readonly Buffer[]): readonly string[] {
  const reader = new FrameReader();
  const sink = new Sink();
  for (const chunk of chunks) reader.read(chunk, sink);
  return sink.got;
}

it('reads the same frames however the bytes are cut', () => {
  const random = seededRandom(17);
  const frames: Buffer[] = [PREFACE];
  for (let i = 0; i < 30; i += 1) {
    const payload = 'p'.repeat(i % 7 === 0 ? 0 : Math.floor(random() * 300));
    frames.push(frame(i % 12, i, i % 2 === 0 ? 0x7fffffff : i, payload));
  }
  frames.push(frame(0, 0, 1, Buffer.alloc(16_384, 'x')));
  const bytes = Buffer.concat(frames);
  const whole = read([bytes]);
  expect(whole).toHaveLength(31);
  for (let round = 0; round < 200; round += 1) {
    const chunks: Buffer[] = [];
    const most = round < 20 ? 3 : 2_000;
    for (let at = 0; at < bytes.length; ) {
      const to = at + 1 + Math.floor(random() * most);
      chunks.push(bytes.subarray(at, to));
      at = to;
    }
    expect(read(chunks)).toEqual(whole);
  }
});

it('stops at what is no preface, and at a frame that is too long', () => {
  expect(read([Buffer.from('GET / HTTP/1.1\r\n')])).toEqual(['no preface']);
  expect(read([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX')])).toEqual(['no preface']);
  const long = Buffer.concat([PREFACE, Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])]);
  expect(read([long])).toEqual(['oversized']);
  expect(read([long.subarray(0, 30), long.subarray(30)])).toEqual(['oversized']);
});
