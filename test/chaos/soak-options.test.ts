import { describe, expect, it } from '@jest/globals';
import { parseSoakOptions } from './soak-options.ts';

describe('the options of the soak', () => {
  it('run ten minutes when nothing is said', () => {
    expect(parseSoakOptions([])).toEqual({ kind: 'soak', minutes: 10, users: 48, seed: 1, json: undefined });
  });

  it('hold idle clients instead when asked', () => {
    expect(parseSoakOptions(['--idle', '10000', '--json', 'x'])).toEqual({
      kind: 'idle',
      clients: 10_000,
      json: 'x',
    });
  });

  it('give nothing when help was asked for', () => {
    expect(parseSoakOptions(['-h'])).toBeUndefined();
  });

  it.each([
    [['--minutes', '0'], '--minutes 0'],
    [['--users', 'many'], '--users many'],
    [['--idle', '1e9'], '--idle 1e9'],
    [['--forever'], '--forever'],
  ])('refuse %j by name', (argv, named) => {
    expect(() => parseSoakOptions(argv)).toThrow(named);
  });
});
