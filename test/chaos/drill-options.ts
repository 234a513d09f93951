import { parseArgs } from 'node:util';
import { SluiceError } from '../../src/core/errors.ts';
import { FAULTS, type FaultName } from './faults.ts';

export interface DrillOptions {
  /** Requests per second; one pass each. */
  readonly rates: readonly number[];
  readonly faults: readonly FaultName[];
  /** How long each fault lasts. */
  readonly seconds: number;
  readonly proxies: readonly ProxyName[];
  /** Sluice ejects and comes back faster, so that short faults can follow each other. */
  readonly quick: boolean;
  /** Where the JSON goes; undefined: nowhere. */
  readonly json: string | undefined;
}

export const PROXY_NAMES = ['sluice', 'nginx', 'haproxy'] as const;
export type ProxyName = (typeof PROXY_NAMES)[number];

export const HELP = `npm run drill:gateway -- [options]
  --rate N,…      requests per second, one pass each (300,3000)
  --faults A,…    which, by name: ${FAULTS.map((fault) => fault.name).join(', ')} (all)
  --seconds S     how long each fault lasts (5)
  --only A,…      which proxies: ${PROXY_NAMES.join(', ')} (all)
  --quick         Sluice alone, 300 requests per second, 2 s a fault, quick to trust again
  --json FILE     write everything observed as JSON
`;

const USUAL = { rate: '300,3000', seconds: '5', only: PROXY_NAMES.join() };
const QUICK = { rate: '300', seconds: '2', only: 'sluice' };

/** Undefined: help was asked for. Throws `USAGE`. */
export function parseDrillOptions(argv: readonly string[]): DrillOptions | undefined {
  const { values } = read(argv);
  if (values.help === true) return undefined;
  const quick = values.quick === true;
  const base = quick ? QUICK : USUAL;
  return {
    rates: list(values.rate ?? base.rate).map((text) => count('--rate', text, 20_000)),
    faults:
      values.faults === undefined
        ? FAULTS.map((fault) => fault.name)
        : chosen(
            '--faults',
            values.faults,
            FAULTS.map((fault) => fault.name),
          ),
    seconds: count('--seconds', values.seconds ?? base.seconds, 60),
    proxies: chosen('--only', values.only ?? base.only, PROXY_NAMES),
    quick,
    json: values.json,
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        rate: { type: 'string' },
        faults: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'string' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw usage((error as Error).message, 'see npm run drill:gateway -- --help');
  }
}

function list(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

function chosen<Name extends string>(option: string, text: string, names: readonly Name[]): readonly Name[] {
  return list(text).map((part) => {
    const name = names.find((one) => one === part);
    if (name === undefined) throw usage(`${option} ${part}`, `choose from: ${names.join(', ')}`);
    return name;
  });
}

function count(option: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw usage(`${option} ${text}`, `give a whole number from 1 to ${most}`);
}

function usage(what: string, remedy: string): SluiceError {
  return new SluiceError('USAGE', `the drill cannot do this: ${what}`, { remedy });
}
