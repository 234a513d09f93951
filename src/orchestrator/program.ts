import type { Bundle } from '../core/provider.ts';
import type { Release } from '../core/release.ts';

const EXECUTABLE = 0o755;

/** The file that is all there is of the application, where that can be run. */
export function programOf(bundle: Pick<Bundle, 'files'> | undefined): string | undefined {
  const [only, ...others] = bundle?.files ?? [];
  return only?.mode === EXECUTABLE && others.length === 0 ? only.path : undefined;
}

/** Undefined leaves it to the platform, as for files that a builder looks at. */
export function programCommand({ program }: Pick<Release, 'program'>): string | undefined {
  if (program === undefined) return undefined;
  return /^[\w@%+=:,./-]+$/.test(program) ? `./${program}` : `'./${program.replaceAll("'", `'\\''`)}'`;
}
