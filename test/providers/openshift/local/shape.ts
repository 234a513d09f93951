/** The structure of a JSON value: every path with the types found there; items of a list are one. */
export type Shape = Map<string, Set<string>>;

/** Below these, keys are data and not structure. */
const MAPS = /\.(labels|annotations|fieldsV1|matchLabels|selector|data|spec\.selector)$/;

export function shapeOf(value: unknown): Shape {
  const shape: Shape = new Map();
  collect(value, '', shape);
  return shape;
}

function collect(value: unknown, path: string, into: Shape): void {
  const type = value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
  const types = into.get(path) ?? new Set<string>();
  into.set(path, types.add(type));
  if (Array.isArray(value)) for (const item of value) collect(item, `${path}[]`, into);
  else if (typeof value === 'object' && value !== null && !MAPS.test(path)) {
    for (const [key, inner] of Object.entries(value))
      if (inner !== undefined) collect(inner, `${path}.${key}`, into);
  }
}

/** `- .spec.x string` for what only the first has, `+` for what only the second has, `~` where the types differ. */
export function differences(recorded: Shape, ours: Shape): string[] {
  const found: string[] = [];
  for (const [path, types] of recorded) {
    const mine = ours.get(path);
    if (!mine) found.push(`- ${path}`);
    else if (![...types].some((type) => mine.has(type)))
      found.push(`~ ${path} ${[...types]} is ${[...mine]}`);
  }
  for (const path of ours.keys()) if (!recorded.has(path)) found.push(`+ ${path}`);
  // A missing object says enough: not every field within it too.
  return found.filter((line) => !found.some((other) => other !== line && isWithin(line, other))).sort();
}

function isWithin(line: string, other: string): boolean {
  return line[0] === other[0] && (line.startsWith(`${other}.`) || line.startsWith(`${other}[]`));
}
