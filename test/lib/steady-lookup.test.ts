import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import { createSteadyLookup, type LookUpAll } from '../../src/lib/steady-lookup.ts';

const V4: LookupAddress = { address: '10.0.0.1', family: 4 };
const V6: LookupAddress = { address: 'fd00::1', family: 6 };
const down = Object.assign(new Error('getaddrinfo EAI_AGAIN shop'), { code: 'EAI_AGAIN' });

function asking(answers: readonly (readonly LookupAddress[] | Error | 'never')[]) {
  let asked = 0;
  const ask: LookUpAll = (_name, done) => {
    const answer = answers[asked] ?? 'never';
    asked += 1;
    if (answer === 'never') return;
    if (answer instanceof Error) done(answer, []);
    else done(null, answer);
  };
  const lookup = createSteadyLookup(ask);
  return (options: { all?: boolean; family?: number } = {}) =>
    new Promise<unknown>((resolve) => {
      lookup('shop', options, (error, address, family) => resolve(error?.code ?? [address, family]));
    });
}

describe('a steady lookup', () => {
  it('gives one address or all of them, of the family that is asked for', async () => {
    const lookup = asking([[V6, V4], [V6, V4], [V6, V4], [V6]]);
    expect(await lookup()).toEqual(['fd00::1', 6]);
    expect(await lookup({ all: true })).toEqual([[V6, V4], undefined]);
    expect(await lookup({ family: 4 })).toEqual(['10.0.0.1', 4]);
    expect(await lookup({ family: 4 })).toBe('ENOTFOUND');
  });

  it('gives the last good answer when the name server fails, says nothing, or says that there is nothing', async () => {
    const lookup = asking([[V4], down, 'never', []]);
    const known = ['10.0.0.1', 4];
    expect([await lookup(), await lookup(), await lookup(), await lookup()]).toEqual([
      known,
      known,
      known,
      known,
    ]);
  });

  it('fails with the words of the system when it never knew', async () => {
    const lookup = asking([down, []]);
    expect(await lookup()).toBe('EAI_AGAIN');
    expect(await lookup()).toBe('ENOTFOUND');
  });
});
