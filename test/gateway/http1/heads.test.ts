import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { everywhere, readRequest, readResponse } from './reading.ts';
import {
  CONNECTIONS,
  FIELDS,
  FRAMINGS,
  HOSTS,
  REQUEST_LINES,
  type RequestVector,
} from './request-vectors.ts';
import { RESPONSE_FIELDS, RESPONSE_FRAMINGS, type ResponseVector, STATUS_LINES } from './response-vectors.ts';

const REST = 'what follows';

describe('request heads', () => {
  describe.each<[string, readonly RequestVector[]]>([
    ['the request line', REQUEST_LINES],
    ['Host', HOSTS],
    ['field lines', FIELDS],
    ['framing', FRAMINGS],
    ['Connection', CONNECTIONS],
  ])('%s', (_group, vectors) => {
    it.each(vectors)('%s', (_what, head, expected) => {
      const bytes = Buffer.from(head + REST, 'latin1');
      const whole = readRequest(bytes);
      if (typeof expected === 'number') expect(whole).toEqual({ outcome: expected });
      else {
        expect(whole).toMatchObject({ outcome: 'complete', ...expected, rest: REST });
        if (expected.upgrade === undefined) expect(whole.upgrade).toBeUndefined();
      }
      expect(readRequest(bytes, everywhere(bytes))).toEqual(whole);
    });

    it('come out the same however they are cut', () => {
      fc.assert(
        fc.property(fc.constantFrom(...vectors), fc.array(fc.nat(), { maxLength: 6 }), ([, head], cuts) => {
          const bytes = Buffer.from(head + REST, 'latin1');
          expect(readRequest(bytes, cuts)).toEqual(readRequest(bytes));
        }),
        { numRuns: 150 },
      );
    });
  });

  it('are incomplete at every byte but the last', () => {
    const head = 'POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nX: y\r\n\r\n';
    for (let length = 0; length < head.length; length += 1) {
      const bytes = Buffer.from(head.slice(0, length));
      expect(readRequest(bytes, everywhere(bytes))).toEqual({ outcome: 'incomplete' });
    }
  });

  it('keep names and values byte for byte, without the white space around', () => {
    const { headers } = readRequest(
      Buffer.from('GET / HTTP/1.1\r\nHoSt:a\r\nX-y:  a, \t b \t\r\nE:\r\n\r\n'),
    );
    expect(headers).toEqual(['HoSt', 'a', 'X-y', 'a, \t b', 'E', '']);
  });
});

describe('response heads', () => {
  describe.each<[string, readonly ResponseVector[]]>([
    ['the status line', STATUS_LINES],
    ['framing', RESPONSE_FRAMINGS],
    ['field lines', RESPONSE_FIELDS],
  ])('%s', (_group, vectors) => {
    it.each(vectors)('%s', (_what, head, expected) => {
      const bytes = Buffer.from(head + REST, 'latin1');
      const whole = readResponse(bytes);
      if (expected === 'refused') expect(whole).toEqual({ outcome: 'refused' });
      else expect(whole).toMatchObject({ outcome: 'complete', ...expected, rest: REST });
      expect(readResponse(bytes, everywhere(bytes))).toEqual(whole);
    });
  });
});
