import { describe, expect, it } from '@jest/globals';
import { createPassing, type Fault, parseFaultWish } from '../../src/lib/faults.ts';

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

describe('a fault that ends by itself', () => {
  it('hits as many calls as its name says, and is off then', () => {
    const on = new Set<Fault>(['api-500-thrice', 'upload-cut-once']);
    const take = createPassing({ isOn: (fault) => on.has(fault), end: (fault) => on.delete(fault) });
    expect([1, 2, 3, 4].map(() => take('api-500-thrice'))).toEqual([true, true, true, false]);
    expect(take('upload-cut-once')).toBe(true);
    expect([...on]).toEqual([]);
    on.add('api-500-thrice');
    expect(take('api-500-thrice')).toBe(true);
  });

  it('hits nothing while it is off', () => {
    const take = createPassing({ isOn: () => false, end: () => undefined });
    expect(take('api-401-once')).toBe(false);
  });
});
