import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lineSplitter } from '../../src/runner/line-splitter.ts';

describe('line splitter', () => {
  it('gives the same lines however the bytes were chunked', () => {
    const text = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((one) => one.replace(/[\r\n]/g, '')),
    );
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 7 })), (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = lineSplitter();
        const found: string[] = [];
        let offset = 0;
        for (const size of [...sizes, bytes.length]) {
          found.push(...splitter.feed(bytes.subarray(offset, offset + size)));
          offset += size;
        }
        found.push(...splitter.feed(bytes.subarray(offset)), ...splitter.end());
        expect(found).toEqual(lines);
      }),
    );
  });

  it('drops carriage returns before line ends and keeps others', () => {
    expect(lineSplitter().feed(Buffer.from('a\r\nb\rc\n'))).toEqual(['a', 'b\rc']);
  });

  it('hands out the unfinished last line at the end', () => {
    const splitter = lineSplitter();
    expect(splitter.feed(Buffer.from('whole\nhalf'))).toEqual(['whole']);
    expect(splitter.end()).toEqual(['half']);
    expect(splitter.end()).toEqual([]);
  });

  it('cuts long lines and goes on with the next', () => {
    const splitter = lineSplitter(10);
    const lines = [...splitter.feed(Buffer.from('x'.repeat(25))), ...splitter.feed(Buffer.from('yyy\nz\n'))];
    expect(lines).toEqual([`${'x'.repeat(10)}…`, 'z']);
  });
});
