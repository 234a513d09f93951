import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UNTIL_CLOSE } from '../../../src/gateway/http1/response-head.ts';
import { CHUNKED } from '../../../src/gateway/wire.ts';
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

  it.each([
    ['no size', '\r\n'],
    ['0x', '0x5\r\nhello\r\n'],
    ['a plus', '+5\r\nhello\r\n'],
    ['a minus', '-5\r\nhello\r\n'],
    ['a space before', ' 5\r\nhello\r\n'],
    ['a space behind', '5 \r\nhello\r\n'],
    ['a tab behind', '5\t\r\nhello\r\n'],
    ['an underscore', '1_0\r\n'],
    ['another letter', '5g\r\n'],
    ['fourteen digits', '00000000000005\r\nhello\r\n'],
    ['a size beyond 2^64', '10000000000000005\r\nhello\r\n'],
    ['a bare LF behind the size', '5\nhello\r\n'],
    ['a bare CR behind the size', '5\rhello\r\n'],
    ['more than the size says', '5\r\nhello!\r\n'],
    ['less than the size says', '5\r\nhell\r\n0\r\n\r\n'],
    ['a bare LF behind the content', '5\r\nhello\n0\r\n\r\n'],
    ['a bare CR behind the content', '5\r\nhello\r0\r\n\r\n'],
    ['an empty extension', '5;\r\nhello\r\n'],
    ['a space in an extension', '5; a\r\nhello\r\n'],
    ['a space around =', '5;a =b\r\nhello\r\n'],
    ['a bare LF in an extension', '5;a\nb\r\nhello\r\n'],
    ['a bare CR in an extension', '5;a\rb\r\nhello\r\n'],
    ['a line end in quotes', '5;a="\r\n"\r\nhello\r\n'],
    ['text behind quotes', '5;a="b"c\r\nhello\r\n'],
    ['an extension over the limit', `5;${long(300)}\r\nhello\r\n`],
    ['a NUL in an extension', '5;a\0\r\nhello\r\n'],
    ['a trailer without colon', '0\r\nX\r\n\r\n'],
    ['a length in the trailers', '0\r\nContent-Length: 5\r\n\r\n'],
    ['a coding in the trailers', '0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a Host in the trailers', '0\r\nHost: b.test\r\n\r\n'],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
    ['a space before the colon of a trailer', '0\r\nX : a\r\n\r\n'],
    ['a bare LF behind a trailer', '0\r\nX: a\n\r\n'],
    ['a bare LF at the end', '0\r\n\n'],
    ['a NUL in a trailer', '0\r\nX: \0\r\n\r\n'],
    ['too many trailers', `0\r\n${'X: 1\r\n'.repeat(40)}\r\n`],
    ['trailers over the limit', `0\r\nX: ${long(9_000)}\r\n\r\n`],
  ])('refuses %s', (_what, text) => {
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
