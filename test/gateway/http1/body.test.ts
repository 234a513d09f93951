import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UNTIL_CLOSE } from '../../../src/gateway/http1/response-head.ts';
import { CHUNKED } from '../../../src/gateway/wire.ts';
import { BROKEN_BODIES } from './body-vectors.ts';
import { everywhere, readBody } from './reading.ts';

const long = (length: number): string => 'x'.repeat(length);

describe('bodies in chunks', () => {
  it.each([
    ['nothing', '0\r\n\r\n', ''],
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['several', '5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n', 'hello world'],
    ['hex in both cases', `a\r\n${long(10)}\r\nB\r\n${long(11)}\r\n0\r\n\r\n`, long(21)],
    ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['an extension', '5;name\r\nhello\r\n0;a=b\r\n\r\n', 'hello'],
    ['a quoted extension', '5;a="b;\\"c ";d\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['line ends in the content', '4\r\n\r\n\r\n\r\n0\r\n\r\n', '\r\n\r\n'],
  ])('takes %s', (_what, text, content) => {
    const bytes = Buffer.from(`${text}rest`, 'latin1');
    const whole = readBody(bytes, CHUNKED);
    expect(whole).toEqual({ state: 'complete', body: content, trailers: undefined, rest: 'rest' });
    expect(readBody(bytes, CHUNKED, everywhere(bytes))).toEqual(whole);
  });

  it('takes trailers', () => {
    const bytes = Buffer.from('1\r\na\r\n0\r\nX-Sum: 42\r\nY:\r\n\r\nrest');
    const whole = readBody(bytes, CHUNKED);
    expect(whole).toEqual({ state: 'complete', body: 'a', trailers: ['X-Sum', '42', 'Y', ''], rest: 'rest' });
    expect(readBody(bytes, CHUNKED, everywhere(bytes))).toEqual(whole);
  });

  it.each(BROKEN_BODIES)('refuses %s', (_what, text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(readBody(bytes, CHUNKED).state).toBe('broken');
    expect(readBody(bytes, CHUNKED, everywhere(bytes)).state).toBe('broken');
  });

  it('come out the same however they are cut and wherever the reader pauses', () => {
    const extension = fc.constantFrom('', ';a', ';a=b', ';a="b c"');
    const chunk = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), extension);
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 8 }),
        fc.constantFrom('', 'X: 1\r\n', 'X: 1\r\nY: 2\r\n'),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (chunks, trailers, cuts, pauseEvery) => {
          let text = '';
          let content = '';
          for (const [bytes, ext] of chunks) {
            const part = Buffer.from(bytes).toString('latin1');
            content += part;
            text += `${part.length.toString(16)}${ext}\r\n${part}\r\n`;
          }
          const wire = Buffer.from(`${text}0\r\n${trailers}\r\nrest`, 'latin1');
          const read = readBody(wire, CHUNKED, cuts, pauseEvery);
          expect(read).toMatchObject({ state: 'complete', body: content, rest: 'rest' });
          expect((read.trailers ?? []).length / 2).toBe(trailers.split('\r\n').length - 1);
        },
      ),
    );
  });
});

describe('bodies with a length', () => {
  it('end exactly there', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), fc.array(fc.nat(), { maxLength: 5 }), (length, cuts) => {
        const read = readBody(Buffer.from(`${long(length)}rest`), length, cuts, 2);
        expect(read).toEqual({ state: 'complete', body: long(length), trailers: undefined, rest: 'rest' });
      }),
    );
  });

  it('are not complete before', () => {
    expect(readBody(Buffer.from('hell'), 5)).toMatchObject({ state: 'reading', body: 'hell' });
  });
});

describe('bodies until the connection closes', () => {
  it('take everything', () => {
    expect(readBody(Buffer.from('0\r\n\r\nall'), UNTIL_CLOSE, [3])).toMatchObject({
      state: 'reading',
      body: '0\r\n\r\nall',
    });
  });
});
