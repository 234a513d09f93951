import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AnswerReader } from './answer-reader.ts';

const BY_LENGTH = 'HTTP/1.1 200 OK\r\nX-Origin: primary\r\nContent-Length: 5\r\n\r\nxxxxz';
const BY_CHUNKS =
  'HTTP/1.1 200 OK\r\nx-origin: primary\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n2\r\nxz\r\n0\r\nt: 1\r\n\r\n';

function read(text: string): AnswerReader & { whole: boolean } {
  const reader = new AnswerReader();
  return Object.assign(reader, { whole: reader.push(Buffer.from(text, 'latin1')) });
}

describe('the reader of answers', () => {
  it.each([
    ['by length', BY_LENGTH],
    ['by chunks', BY_CHUNKS],
    ['behind an interim answer', `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${BY_LENGTH}`],
  ])('finds the end of an answer framed %s, in whatever pieces it comes', (_what, text) => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(text.length)), (cuts) => {
        const reader = new AnswerReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const whole = edges.slice(1).map((to, i) => reader.push(Buffer.from(text.slice(edges[i], to))));
        const first = whole.indexOf(true);
        expect(edges[first + 1]).toBe(text.length);
        expect([reader.status, reader.origin, reader.bodyBytes, reader.lastByte, reader.closes]).toEqual([
          200,
          'primary',
          5,
          'z'.charCodeAt(0),
          false,
        ]);
      }),
    );
  });

  it.each([
    ['by length', BY_LENGTH],
    ['by chunks', BY_CHUNKS],
  ])('takes no part of an answer framed %s for the whole', (_what, text) => {
    for (let length = 0; length < text.length; length += 1) {
      const reader = read(text.slice(0, length));
      expect([length, reader.whole, reader.ended()]).toEqual([length, false, false]);
    }
  });

  it('tells a beginning of an answer from none', () => {
    expect(read('HTTP/1.1 200 OK\r\n').begun).toBe(false);
    expect(read(BY_LENGTH.slice(0, -5)).begun).toBe(true);
  });

  it('waits for the end of the connection where nothing else tells the length', () => {
    const reader = read('HTTP/1.1 502 Bad Gateway\r\n\r\nxyz');
    expect([reader.whole, reader.ended(), reader.closes, reader.bodyBytes]).toEqual([false, true, true, 3]);
  });

  it('knows answers without a body', () => {
    expect(read('HTTP/1.1 204 No Content\r\n\r\n').whole).toBe(true);
    expect(read('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n').whole).toBe(true);
  });

  it('sees that the connection is to be closed', () => {
    expect(read('HTTP/1.0 503 No\r\ncontent-length: 0\r\n\r\n').closes).toBe(true);
    expect(read('HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 0\r\n\r\n').closes).toBe(true);
  });

  it('refuses bytes that nobody asked for, and what is no HTTP', () => {
    expect(() => read(`${BY_LENGTH}HTTP`)).toThrow('nobody asked for');
    expect(() => read('hello\r\n\r\n')).toThrow('no HTTP');
    expect(() => read('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nq\r\n')).toThrow('no chunk size');
  });

  it('begins anew after a reset', () => {
    const reader = read(BY_LENGTH);
    reader.reset();
    expect(reader.begun).toBe(false);
    expect(reader.push(Buffer.from(BY_CHUNKS))).toBe(true);
    expect(reader.bodyBytes).toBe(5);
  });
});
