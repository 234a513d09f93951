import { describe, expect, it } from '@jest/globals';
import { responseReader } from './response-reader.ts';

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 4\r\n\r\nbody');

describe('the reader of answers', () => {
  it('counts whole answers, several in one piece too', () => {
    expect(responseReader(4).push(Buffer.concat([ANSWER, ANSWER, ANSWER]))).toBe(3);
  });

  it('gives the same count wherever the bytes are cut', () => {
    const bytes = Buffer.concat([ANSWER, ANSWER]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = responseReader(4);
      expect([cut, reader.push(bytes.subarray(0, cut)) + reader.push(bytes.subarray(cut))]).toEqual([cut, 2]);
      expect(reader.inside).toBe(false);
    }
  });

  it('takes bytes one by one and knows when it is inside an answer', () => {
    const reader = responseReader(4);
    for (const byte of ANSWER.subarray(0, -1)) {
      expect(reader.push(Buffer.from([byte]))).toBe(0);
      expect(reader.inside).toBe(true);
    }
    expect(reader.push(ANSWER.subarray(-1))).toBe(1);
    expect(reader.inside).toBe(false);
  });

  it.each([
    ['another status', 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbody', '503 Service'],
    ['another length', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbody!', '5 instead of 4'],
    ['no length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', 'undefined instead of 4'],
    ['a body longer than announced', `${ANSWER.toString()}x${ANSWER.toString()}`, 'answered "xHTTP'],
  ])('refuses %s', (_what, text, why) => {
    expect(() => responseReader(4).push(Buffer.from(text))).toThrow(why);
  });
});
