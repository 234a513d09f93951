import { describe, expect, it } from '@jest/globals';
import { HELP, parseOptions } from './options.ts';
import { WORKS } from './works.ts';

describe('the options', () => {
  it('are all works in five rounds of three seconds unless told otherwise', () => {
    expect(parseOptions([])).toEqual({
      kind: 'run',
      options: {
        works: WORKS.map(({ key }) => key),
        rounds: 5,
        seconds: 3,
        warmUpSeconds: 3,
        load: 'auto',
        json: undefined,
      },
    });
  });

  it('pick works, in the order of the table', () => {
    const order = parseOptions(['tls', 'small', '--rounds', '7', '--json', 'x.json', '--load', 'own']);
    expect(order).toMatchObject({
      options: { works: ['small', 'tls'], rounds: 7, load: 'own', json: 'x.json' },
    });
  });

  it('let --quick be changed in part', () => {
    const order = parseOptions(['--quick', '--rounds', '2']);
    expect(order).toMatchObject({ options: { rounds: 2, seconds: 1 } });
  });

  it.each([['--rounds', '0'], ['--seconds', '1.5'], ['--load', 'ab'], ['--fast'], ['smal']])(
    'refuse %s %s with USAGE',
    (...argv) => {
      expect(() => parseOptions(argv)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  it('measure judgement alone, for it has nothing to do with proxies', () => {
    expect(parseOptions(['judgement', '--quick', '--json', 'a.json'])).toEqual({
      kind: 'judgement',
      options: { rounds: 1, seconds: 1, json: 'a.json' },
    });
    expect(() => parseOptions(['judgement', 'small'])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('take a report to be published instead of a run', () => {
    expect(parseOptions(['--readme', 'a.json'])).toEqual({ kind: 'publish', file: 'a.json' });
  });

  it('give help, which names every work', () => {
    expect(parseOptions(['--help', '--quick'])).toEqual({ kind: 'help' });
    for (const { key } of WORKS) expect(HELP).toContain(`  ${key} `);
  });
});
