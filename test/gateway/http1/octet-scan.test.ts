import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { kindOf } from '../../../src/gateway/http1/field-names.ts';
import { FieldSection } from '../../../src/gateway/http1/field-section.ts';
import { ASSEMBLED, sharedBytes } from '../../../src/gateway/http1/octet-scan.ts';
import { CLOUD_FOUNDRY, hasPlatformCookies, OUR_COOKIES } from '../../../src/gateway/platform-cookies.ts';
import { assemble } from '../../assemble/assemble.ts';

const LIMIT = 65_536;
const MOST = 100;

/** What a section is found to be, read in one piece. */
function read(text: string, into?: Buffer): unknown {
  const bytes = into ?? Buffer.from(text, 'latin1');
  if (into !== undefined) into.write(text, 0, 'latin1');
  const section = new FieldSection(MOST);
  section.begin(0);
  return told(section, section.scan(bytes, text.length, LIMIT));
}

/** The same line by line, as it is read when it comes in pieces: without the scan. */
function readInPieces(text: string): unknown {
  // Too long for the scan's window.
  const bytes = Buffer.alloc(Math.max(10_000, text.length));
  bytes.write(text, 0, 'latin1');
  const section = new FieldSection(MOST);
  section.begin(0);
  return told(section, section.scan(bytes, text.length, LIMIT));
}

function told(section: FieldSection, end: number): unknown {
  if (end < 0) return end;
  const { count } = section;
  return {
    end,
    spans: [...section.spans.subarray(0, 4 * count)],
    kinds: [...section.kinds.subarray(0, count)],
  };
}

const NAMES = [
  ...[
    'Host',
    'cookie',
    'Content-Length',
    'Content-Type',
    'TE',
    'Via',
    'date',
    'X-Request-Id',
    'x_request_id',
  ],
  ...['Connection', 'X-Forwarded-For', 'X_Forwarded_For', 'X-Forwarded-Client-Cert', 'X-Cf-App-Instance'],
  ...['X-Sluice-Role', 'x-sluice', 'X-Custom', 'Accept', 'Transfer-Encoding', 'transfer_encoding', 'Cookid'],
  ...[
    'Proxy-Authentication-Info',
    'Sec-Fetch-Site',
    'a',
    'X',
    `h${'o'.repeat(35)}`,
    `Host${'x'.repeat(32)}`,
    '',
  ],
];

const anyName = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ unit: fc.constantFrom(...'aZ-_.!~xX:@[ \t\x7f\xe9\0'), maxLength: 40 }),
);
const anyValue = fc.string({
  unit: fc.constantFrom(...'abc xyz\t\x7f\x80\xff\x1f\0,;="'),
  maxLength: 70,
});
const anyLine = fc
  .tuple(
    anyName,
    fc.constantFrom(':', ': ', ':  ', ':\t', ' :', ''),
    anyValue,
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
  )
  .map((parts) => parts.join(''));
const anySection = fc
  .tuple(
    fc.array(anyLine, { maxLength: 40 }),
    fc.constantFrom('\r\n', '\r\n', '\r', '', '\r\nGET / HTTP/1.1\r\n'),
  )
  .map(([lines, end]) => lines.join('') + end);

describe('the scan of field lines', () => {
  it('is what its text assembles to', async () => {
    const assembled = await assemble('src/gateway/http1/octet-scan.wat');
    expect(assembled.toString('base64')).toBe(ASSEMBLED);
  });

  it('finds what reading octet by octet finds, or leaves it to that', () => {
    fc.assert(
      fc.property(anySection, (text) => {
        const expected = readInPieces(text);
        expect(read(text)).toEqual(expected);
        expect(read(text, sharedBytes)).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  it('knows every name by its kind, whatever its case and whatever stands behind it in memory', () => {
    for (const name of NAMES.filter((known) => known !== '')) {
      for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
        const bytes = Buffer.from(spelled, 'latin1');
        const { kinds } = read(`${spelled}: 1\r\n\r\n`) as { kinds: readonly number[] };
        expect([spelled, kinds[0]]).toEqual([spelled, kindOf(bytes, 0, bytes.length)]);
      }
    }
  });

  it("calls no Cookie plain that holds one of ours or of a platform's router", () => {
    const piece = fc.constantFrom(
      ...[
        `${OUR_COOKIES}cf-eu.${CLOUD_FOUNDRY}=1`,
        `${CLOUD_FOUNDRY}=2`,
        `${OUR_COOKIES}a=3`,
        'a=b',
        'session_id=__x',
        'the.end=4',
      ],
      ...['0123456789abcdef', '_', 'e', '; '],
    );
    const cookies = fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 4 });
    let plain = 0;
    fc.assert(
      fc.property(cookies, (values) => {
        const texts = values.map((pieces) => pieces.join('').trim());
        const bytes = Buffer.from(`${texts.map((text) => `Cookie: ${text}\r\n`).join('')}Host: a\r\n\r\n`);
        const section = new FieldSection(MOST);
        section.begin(0);
        section.scan(bytes, bytes.length, LIMIT);
        if (section.cookiesArePlain) plain += 1;
        if (texts.some(hasPlatformCookies)) expect(section.cookiesArePlain).toBe(false);
      }),
    );
    // Or it would be of no use, and nothing would have been looked for.
    expect(plain).toBeGreaterThan(0);
    expect([OUR_COOKIES, CLOUD_FOUNDRY].every(hasPlatformCookies)).toBe(true);
  });

  it('reads no further than what has come, whatever an earlier head left behind it', () => {
    const whole = 'Host: a\r\nCookie: b=c\r\n\r\n';
    read(whole, sharedBytes);
    const section = new FieldSection(MOST);
    for (let end = 0; end < whole.length; end += 1) {
      section.begin(0);
      expect(section.scan(sharedBytes, end, LIMIT)).toBeLessThan(0);
    }
  });

  it('takes as many lines as the limit allows, and not one more', () => {
    const lines = (count: number): string => 'X-Line: value\r\n'.repeat(count);
    expect(read(`${lines(MOST)}\r\n`)).toMatchObject({ end: 15 * MOST + 2 });
    expect(read(`${lines(MOST + 1)}\r\n`)).toBe(readInPieces(`${lines(MOST + 1)}\r\n`));
  });
});
