import { describe, expect, it } from '@jest/globals';
import { parseOptions } from './options.ts';

describe('the options', () => {
  it('are five rounds of three seconds unless told otherwise', () => {
    expect(parseOptions([])).toEqual({
      rounds: 5,
      seconds: 3,
      warmUpSeconds: 3,
      load: 'auto',
      out: undefined,
    });
    expect(parseOptions(['--rounds', '7', '--out', 'x.json', '--load', 'own'])).toMatchObject({
      rounds: 7,
      load: 'own',
      out: 'x.json',
    });
  });

  it('let --quick be changed in part', () => {
    expect(parseOptions(['--quick', '--rounds', '2'])).toMatchObject({ rounds: 2, seconds: 1 });
  });

  it.each([['--rounds', '0'], ['--seconds', '1.5'], ['--load', 'ab'], ['--fast'], ['more']])(
    'refuse %s %s with USAGE',
    (...argv) => {
      expect(() => parseOptions(argv)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  it('give help instead of a run', () => {
    expect(parseOptions(['--help', '--quick'])).toBeUndefined();
  });
});
