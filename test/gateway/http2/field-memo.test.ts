import { expect, it } from '@jest/globals';
import { FieldSection } from '../../../src/gateway/http1/field-section.ts';
import { FieldMemo } from '../../../src/gateway/http2/field-memo.ts';
import { seededRandom } from '../../../src/lib/random.ts';

it('gives the strings that stand there, whatever stood there before', () => {
  const random = seededRandom(23);
  const pick = (most: number): number => Math.floor(random() * most);
  const memo = new FieldMemo();
  const names = ['Server', 'server', 'X-A', 'X-B', 'X-AB', 'Etag', 'ETag', 'Via', 'x-long-name-with-parts'];
  for (let round = 0; round < 5_000; round += 1) {
    const expected: string[] = [];
    let text = '';
    for (let i = 0; i < 6; i += 1) {
      const name = names[pick(names.length)]!;
      const value = 'ab'[pick(2)]!.repeat(pick(pick(40) === 0 ? 400 : 4)) + 'xyz'[pick(3)];
      text += `${name}:${' '.repeat(pick(3))}${value}\r\n`;
      expected.push(name.toLowerCase(), value);
    }
    const bytes = Buffer.from(`${text}\r\n`, 'latin1');
    const fields = new FieldSection(10);
    fields.begin(0);
    fields.scan(bytes, bytes.length, bytes.length);
    const got: string[] = [];
    for (let i = 0; i < fields.count; i += 1) memo.append(fields, i, got);
    expect(got).toEqual(expected);
    // What it keeps it keeps for itself: the bytes are somebody else's by now.
    bytes.fill(0xdd);
  }
});
