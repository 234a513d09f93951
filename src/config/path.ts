/** Where in a document: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** `applications.shop.routes[0].host`, as diagnostics show it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** A key for maps and sets of paths. */
export function pathKey(path: Path): string {
  return path.join('\u0000');
}

/** `*` stands for any one segment: `applications.*.env.*`. */
export function matchesPath(pattern: string, path: Path): boolean {
  const wanted = pattern.split('.');
  return (
    wanted.length === path.length && wanted.every((segment, i) => segment === '*' || segment === path[i])
  );
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at the path, or undefined. Only own keys count: `constructor` is a name like any other. */
export function valueAt(root: unknown, path: Path): unknown {
  let value: unknown = root;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === 'number') value = value[segment];
    else if (isMap(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return value;
}

/** The map at the path; an empty one where there is none. */
export function mapAt(root: unknown, path: Path): Readonly<Record<string, unknown>> {
  const value = valueAt(root, path);
  return isMap(value) ? value : {};
}
