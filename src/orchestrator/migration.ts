import type { Release } from '../core/release.ts';
import type { ApplicationSettings } from '../core/settings.ts';

/** What the tasks of a release do to the data, taken together: the one that goes furthest counts. */
export function migrationOf({ tasks = [] }: Pick<ApplicationSettings, 'tasks'>): Pick<Release, 'migration'> {
  const classes = tasks.flatMap((task) => (task.when === 'release' ? (task.class ?? []) : []));
  if (classes.includes('contract')) return { migration: 'contract' };
  return classes.includes('expand') ? { migration: 'expand' } : {};
}
