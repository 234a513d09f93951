import type { Path } from './path.ts';

/** Something wrong with a document, before its place is looked up: `load.ts` makes diagnostics of them. */
export interface Fault {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** Point at the key (it is unknown, or something is missing below it) or at the value (it is wrong). */
  readonly at: 'key' | 'value';
  readonly summary: string;
  readonly remedy: string;
}

export function keyFault(path: Path, summary: string, remedy: string): Fault {
  return { severity: 'error', path, at: 'key', summary, remedy };
}

export function valueFault(path: Path, summary: string, remedy: string): Fault {
  return { severity: 'error', path, at: 'value', summary, remedy };
}

export function warning(path: Path, summary: string, remedy: string): Fault {
  return { severity: 'warning', path, at: 'value', summary, remedy };
}
