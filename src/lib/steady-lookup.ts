import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A name server that thinks this long keeps nobody waiting who knows an earlier answer. */
const PATIENCE_MS = 100;
const MOST_NAMES = 256;

/** How the system is asked; tests pass their own. */
export type LookUpAll = (
  name: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly dns.LookupAddress[]) => void,
) => void;

/**
 * For `connect({ lookup })`: what the system says, and when it says nothing, or not now, what it said last. A name server
 * that is away is no fault of the origin behind the name.
 */
export function createSteadyLookup(ask: LookUpAll = askSystem): LookupFunction {
  const lastGood = new Map<string, readonly dns.LookupAddress[]>();

  return function lookup(name, options, done) {
    let answered = false;
    const known = lastGood.get(name);
    const impatient = known === undefined ? undefined : setTimeout(() => settle(null, known), PATIENCE_MS);

    function settle(error: NodeJS.ErrnoException | null, addresses: readonly dns.LookupAddress[]): void {
      if (answered) return;
      answered = true;
      clearTimeout(impatient);
      const wanted = addresses.filter(({ family }) => !options.family || family === options.family);
      const [first] = wanted;
      if (error !== null || first === undefined) done(error ?? notFound(name), '');
      else if (options.all === true) done(null, [...wanted]);
      else done(null, first.address, first.family);
    }

    ask(name, (error, addresses) => {
      if (error === null && addresses.length > 0) {
        if (lastGood.size >= MOST_NAMES) lastGood.clear();
        lastGood.set(name, addresses);
        settle(null, addresses);
      } else if (known !== undefined) settle(null, known);
      else settle(error, []);
    });
  };
}

function askSystem(name: string, done: Parameters<LookUpAll>[1]): void {
  dns.lookup(name, { all: true }, (error, addresses) => done(error, addresses ?? []));
}

function notFound(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address of ${name}`), { code: 'ENOTFOUND' });
}
