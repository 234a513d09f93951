import { parseArgs } from 'node:util';
import { SluiceError } from '../../src/core/errors.ts';

export interface BenchOptions {
  readonly rounds: number;
  /** Of one measurement; whole, because wrk counts in whole ones. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly load: 'own' | 'wrk' | 'auto';
  /** Where the JSON goes; undefined: nowhere. */
  readonly out: string | undefined;
}

export const HELP = `npm run bench -- [options]
  --rounds N       measurements of each proxy, interleaved (5)
  --seconds S      length of one measurement, whole seconds (3)
  --warm-up S      load on each proxy before the first round, whole seconds (3)
  --load own|wrk   who sends the requests (wrk where it is on PATH)
  --quick          one round of 1 s: does it work at all; its numbers say nothing
  --out FILE       write everything measured as JSON
`;

const QUICK = { rounds: '1', seconds: '1', 'warm-up': '1' };
const USUAL = { rounds: '5', seconds: '3', 'warm-up': '3' };

/** Undefined: help was asked for. Throws `USAGE`. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = read(argv);
  if (values.help === true) return undefined;
  const base = values.quick === true ? QUICK : USUAL;
  const load = values.load ?? 'auto';
  if (load !== 'own' && load !== 'wrk' && load !== 'auto') throw usage(`--load ${load}`, 'use own or wrk');
  return {
    rounds: count('--rounds', values.rounds ?? base.rounds),
    seconds: count('--seconds', values.seconds ?? base.seconds),
    warmUpSeconds: count('--warm-up', values['warm-up'] ?? base['warm-up']),
    load,
    out: values.out,
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        load: { type: 'string' },
        out: { type: 'string' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw usage((error as Error).message, 'see npm run bench -- --help');
  }
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw usage(`${option} ${text}`, 'give a whole number from 1 to 1000');
}

function usage(what: string, remedy: string): SluiceError {
  return new SluiceError('USAGE', `the bench cannot do this: ${what}`, { remedy });
}
