import { parseArgs } from 'node:util';
import { SluiceError } from '../../src/core/errors.ts';
import type { JudgementOptions } from './judgement/run.ts';
import type { LoadChoice } from './load.ts';
import { WORKS, type Work, type WorkKey } from './works.ts';

export interface BenchOptions {
  /** What to measure, in the order of the table. */
  readonly works: readonly WorkKey[];
  readonly rounds: number;
  /** Of one measurement; whole, because wrk counts in whole ones. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly load: LoadChoice;
  /** Where the JSON goes; undefined: to test/bench/results, by date. */
  readonly json: string | undefined;
}

export type Order =
  | { readonly kind: 'help' }
  /** Take this JSON as the one that README and docs show. */
  | { readonly kind: 'publish'; readonly file: string }
  /** No proxy at all: what the engine and the probes cost. */
  | { readonly kind: 'judgement'; readonly options: JudgementOptions }
  | { readonly kind: 'run'; readonly options: BenchOptions };

const JUDGEMENT = 'judgement';

export const HELP = `npm run bench -- [work…] [options]
works (all of them unless named):
${WORKS.map(({ key, name }) => `  ${key.padEnd(13)} ${name}`).join('\n')}
or, alone:
  ${JUDGEMENT.padEnd(13)} the engine and the probes: deciding for a thousand applications, asking 5,000 targets
options:
  --rounds N       measurements of each proxy, interleaved (5)
  --seconds S      length of one measurement, whole seconds (3)
  --warm-up S      load on each proxy before the first round, whole seconds (3)
  --load own       our own load generators although wrk and h2load are there; --load wrk: theirs or none
  --quick          one round of 1 s: does it work at all; its numbers say nothing
  --json FILE      where everything measured goes (test/bench/results/DATE.json)
  --readme FILE    measure nothing: take this JSON as the one that README.md and docs/benchmarks.md show
`;

const QUICK = { rounds: '1', seconds: '1', 'warm-up': '1' };
const USUAL = { rounds: '5', seconds: '3', 'warm-up': '3' };

/** Throws `USAGE`. */
export function parseOptions(argv: readonly string[]): Order {
  const { values, positionals } = read(argv);
  if (values.help === true) return { kind: 'help' };
  if (values.readme !== undefined) return { kind: 'publish', file: values.readme };
  const base = values.quick === true ? QUICK : USUAL;
  const load = values.load ?? 'auto';
  if (load !== 'own' && load !== 'wrk' && load !== 'auto') throw usage(`--load ${load}`, 'use own or wrk');
  const measured = {
    rounds: count('--rounds', values.rounds ?? base.rounds),
    seconds: count('--seconds', values.seconds ?? base.seconds),
    json: values.json,
  };
  if (positionals.includes(JUDGEMENT)) {
    if (positionals.length === 1) return { kind: 'judgement', options: measured };
    throw usage(positionals.join(' '), `${JUDGEMENT} stands alone`);
  }
  return {
    kind: 'run',
    options: {
      works: pick(positionals).map(({ key }) => key),
      ...measured,
      warmUpSeconds: count('--warm-up', values['warm-up'] ?? base['warm-up']),
      load,
    },
  };
}

function pick(names: readonly string[]): readonly Work[] {
  for (const name of names) {
    if (!WORKS.some(({ key }) => key === name)) {
      throw usage(name, `name one of ${WORKS.map(({ key }) => key).join(', ')}`);
    }
  }
  return names.length === 0 ? WORKS : WORKS.filter(({ key }) => names.includes(key));
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        load: { type: 'string' },
        json: { type: 'string' },
        readme: { type: 'string' },
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
