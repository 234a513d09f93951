import { describe, expect, it } from '@jest/globals';
import { parseDrillOptions } from './drill-options.ts';
import { FAULTS } from './faults.ts';

describe('the options of the drill', () => {
  it('drill everybody with everything when nothing is said', () => {
    expect(parseDrillOptions([])).toEqual({
      rates: [300, 3_000],
      faults: FAULTS.map(({ name }) => name),
      seconds: 5,
      proxies: ['sluice', 'nginx', 'haproxy'],
      quick: false,
      json: undefined,
    });
  });

  it('make it short with --quick, and still allow to choose', () => {
    expect(parseDrillOptions(['--quick'])).toMatchObject({ rates: [300], seconds: 2, proxies: ['sluice'] });
    expect(parseDrillOptions(['--quick', '--rate', '50'])).toMatchObject({ rates: [50], quick: true });
  });

  it('take lists by name', () => {
    const options = parseDrillOptions([
      '--faults',
      'frozen, half-open',
      '--only',
      'nginx',
      '--rate',
      '10,20',
    ]);
    expect(options).toMatchObject({ faults: ['frozen', 'half-open'], proxies: ['nginx'], rates: [10, 20] });
  });

  it('give nothing when help was asked for', () => {
    expect(parseDrillOptions(['--help'])).toBeUndefined();
  });

  it.each([
    [['--rate', '0'], '--rate 0'],
    [['--rate', '300,x'], '--rate x'],
    [['--seconds', '1.5'], '--seconds 1.5'],
    [['--faults', 'melted'], '--faults melted'],
    [['--only', 'apache'], '--only apache'],
    [['--fast'], '--fast'],
  ])('refuse %j by name', (argv, named) => {
    expect(() => parseDrillOptions(argv)).toThrow(named);
  });
});
