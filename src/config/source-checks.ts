import { type Fault, keyFault } from './fault.ts';
import { mapAt, type Path, valueAt } from './path.ts';

/** Where the application comes from: one place, which all its platforms can take. */
export function checkSources(
  root: unknown,
  /** Undefined for a provider nobody knows. */
  runsImages: (provider: string) => boolean | undefined,
): readonly Fault[] {
  return Object.keys(mapAt(root, ['applications'])).flatMap((name) => {
    const path = ['applications', name];
    return [...checkOne(path, root), ...checkImage(path, root, runsImages)];
  });
}

function checkOne(path: Path, root: unknown): readonly Fault[] {
  const has = (key: string): boolean => valueAt(root, [...path, key]) !== undefined;
  const faults: Fault[] = [];
  if (has('image') && (has('source') || has('git'))) {
    const remedy = has('source') ? 'remove `source` or `image`' : 'remove `git` or `image`';
    faults.push(keyFault([...path, 'image'], 'the application is files already', remedy));
  }
  if (has('git')) faults.push(...checkGit(path, root));
  if (has('registry') && !has('image')) {
    const remedy = 'remove it, or name an `image`';
    faults.push(keyFault([...path, 'registry'], 'credentials of a registry, and no image', remedy));
  }
  return faults;
}

function checkGit(path: Path, root: unknown): readonly Fault[] {
  const named = valueAt(root, [...path, 'git', 'repository']) !== undefined;
  const folder = valueAt(root, [...path, 'source']) !== undefined;
  const at = [...path, 'git'];
  if (named && folder) {
    return [keyFault(at, 'two places to take the application from', 'remove `source`, or `git.repository`')];
  }
  if (named || folder) return [];
  return [
    keyFault(at, 'no repository', 'add `source:` with a folder in it, or `git: { repository: …, ref: … }`'),
  ];
}

function checkImage(
  path: Path,
  root: unknown,
  runsImages: (provider: string) => boolean | undefined,
): readonly Fault[] {
  if (valueAt(root, [...path, 'image']) === undefined) return [];
  return Object.keys(mapAt(root, [...path, 'targets'])).flatMap((platform) => {
    const provider = valueAt(root, ['platforms', platform, 'provider']);
    if (typeof provider !== 'string' || provider === 'static' || runsImages(provider) !== false) return [];
    const at = [...path, 'targets', platform];
    const summary = `${platform} (${provider}) runs no container images`;
    return [keyFault(at, summary, 'remove it, or give the application a `source`')];
  });
}
