import { parseArgs } from 'node:util';
import { SluiceError } from '../../src/core/errors.ts';

export type SoakOptions = SoakRunOptions | IdleOptions;

export interface SoakRunOptions {
  readonly kind: 'soak';
  readonly minutes: number;
  /** Of the clients' dice: the same seed does the same things in the same order. */
  readonly seed: number;
  readonly users: number;
  readonly json: string | undefined;
}

export interface IdleOptions {
  readonly kind: 'idle';
  readonly clients: number;
  readonly json: string | undefined;
}

export const HELP = `npm run soak -- [options]
  --minutes N    how long (10); 1 is a quick look
  --users N      clients at a time (48)
  --seed N       of their dice (1)
  --idle N       instead: N keep-alive clients that ask once and then say nothing
  --json FILE    write everything observed as JSON
`;

/** Undefined: help was asked for. Throws `USAGE`. */
export function parseSoakOptions(argv: readonly string[]): SoakOptions | undefined {
  const { values } = read(argv);
  if (values.help === true) return undefined;
  const { json } = values;
  if (values.idle !== undefined) return { kind: 'idle', clients: count('--idle', values.idle, 60_000), json };
  return {
    kind: 'soak',
    minutes: count('--minutes', values.minutes ?? '10', 24 * 60),
    users: count('--users', values.users ?? '48', 1_000),
    seed: count('--seed', values.seed ?? '1', 2 ** 31),
    json,
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string' },
        users: { type: 'string' },
        seed: { type: 'string' },
        idle: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw usage((error as Error).message, 'see npm run soak -- --help');
  }
}

function count(option: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw usage(`${option} ${text}`, `give a whole number from 1 to ${most}`);
}

function usage(what: string, remedy: string): SluiceError {
  return new SluiceError('USAGE', `the soak cannot do this: ${what}`, { remedy });
}
