import { describe, expect, it } from '@jest/globals';
import { parseFaultWish } from '../../src/lib/faults.ts';

describe('a wish for a fault', () => {
  it('is one of the faults, on or off', () => {
    expect(parseFaultWish('{"fault":"api-down","on":true}')).toEqual({ fault: 'api-down', on: true });
  });

  it.each(['', 'no JSON', '{}', '{"fault":"toString","on":true}', '{"fault":"api-down","on":"yes"}'])(
    'is not %j',
    (text) => {
      expect(parseFaultWish(text)).toBeUndefined();
    },
  );
});
