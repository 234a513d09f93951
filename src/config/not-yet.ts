import { type Fault, keyFault, valueFault } from './fault.ts';
import { isMap, matchesPath, type Path } from './path.ts';

/**
 * What the design names and nobody has built yet. Such a key is refused by name: ignoring it would promise what
 * does not happen. A row goes away with the change that builds it.
 */
export interface NotYet {
  /** `*` stands for any one key. */
  readonly path: string;
  /** Only these values are not built; left out: the key as such. */
  readonly values?: readonly unknown[];
  readonly what: string;
  /** What to write instead. Default: remove it. */
  readonly instead?: string;
  /** A value as a user would write it; the tests put it into a file. */
  readonly example: unknown;
}

export const NOT_YET: readonly NotYet[] = [
  { path: 'notify', what: 'notifications', example: [{ on: ['failover'], to: ['webhook:ops'] }] },
  {
    path: 'policies',
    what: 'named policies in this file',
    instead: 'name a policy file in `policy:`',
    example: {},
  },

  { path: 'state.redis', what: 'state in Redis', instead: 'use `dir`', example: 'redis://127.0.0.1:6379' },

  {
    path: 'platforms.*.driver',
    values: ['ssh', 'docker'],
    what: 'this driver of self-hosted machines',
    instead: 'use `process`',
    example: 'ssh',
  },
  {
    path: 'platforms.*.hosts',
    what: 'several self-hosted machines in one platform',
    example: ['10.0.0.11-14'],
  },
  { path: 'platforms.*.domains', what: 'fault domains', example: ['eu-west'] },

  { path: 'applications.*.health.vantage', what: 'several vantage points', example: {} },
  { path: 'applications.*.data.replica', what: 'watching replication lag', example: {} },

  { path: 'gateway.admin.tls', what: 'TLS for the admin API', example: {} },
  {
    path: 'gateway.rateLimit',
    what: 'rate limits of the whole gateway',
    instead: 'set `rateLimit` on routes',
    example: {},
  },
];

/** Faults for what is not built, and the document without it, so that the schema does not complain once more. */
export function refuseNotYet(
  root: unknown,
  rows: readonly NotYet[] = NOT_YET,
): { value: unknown; faults: Fault[] } {
  const faults: Fault[] = [];

  function without(value: unknown, path: Path): unknown {
    if (Array.isArray(value)) return value.map((item, i) => without(item, [...path, i]));
    if (!isMap(value)) return value;
    const kept: [string, unknown][] = [];
    for (const [key, inner] of Object.entries(value)) {
      const innerPath = [...path, key];
      const row = rows.find((candidate) => applies(candidate, innerPath, inner));
      if (row === undefined) kept.push([key, without(inner, innerPath)]);
      else faults.push(faultOf(row, innerPath));
    }
    return Object.fromEntries(kept);
  }

  return { value: without(root, []), faults };
}

function applies(row: NotYet, path: Path, value: unknown): boolean {
  if (!matchesPath(row.path, path)) return false;
  return row.values === undefined || row.values.includes(value);
}

function faultOf(row: NotYet, path: Path): Fault {
  const remedy = row.instead === undefined ? 'remove it' : `remove it or ${row.instead}`;
  const make = row.values === undefined ? keyFault : valueFault;
  return make(path, `not built yet: ${row.what}`, remedy);
}
