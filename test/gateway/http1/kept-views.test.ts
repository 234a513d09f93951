import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeptViews } from '../../../src/gateway/http1/kept-views.ts';

describe('kept views', () => {
  it('show what was asked for, whatever was asked for before', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 2_000 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 300 }), (ranges) => {
        const bytes = Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7) & 0xff));
        const views = new KeptViews(bytes);
        for (const [from, length] of [...ranges, ...ranges]) {
          const view = views.of(from, from + length);
          expect([view.byteOffset - bytes.byteOffset, view.length]).toEqual([from, length]);
          expect(view.buffer).toBe(bytes.buffer);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are made once for a message of the same shape', () => {
    const views = new KeptViews(Buffer.alloc(100));
    expect(views.of(10, 90)).toBe(views.of(10, 90));
  });
});
