import type { ZodType } from 'zod';
import type { ConfigDocument } from './document.ts';
import type { Fault } from './fault.ts';
import { type JsonNode, shapeOf } from './known-keys.ts';
import { isMap, type Path, valueAt } from './path.ts';
import { zodFaults } from './zod-faults.ts';

export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly faults: readonly [] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

const shapes = new WeakMap<ZodType, JsonNode>();

/** Decodes a part of the document; faults carry their path in the whole of it. */
export function decode<T>(
  schema: ZodType<T>,
  input: unknown,
  base: Path,
  document: Pick<ConfigDocument, 'origins'>,
): Decoded<T> {
  const first = schema.safeParse(input);
  if (first.success) return { ok: true, value: first.data, faults: [] };
  const repaired = readNumbers(first.error.issues, input, base, document);
  const second = repaired === input ? first : schema.safeParse(repaired);
  if (second.success) return { ok: true, value: second.data, faults: [] };
  return {
    ok: false,
    faults: zodFaults(second.error.issues, { input: repaired, shape: shape(schema), base }),
  };
}

/** What came from `${…}` is text; where a number or boolean is wanted, `port: ${PORT}` should just work. */
function readNumbers(
  issues: readonly {
    readonly code?: string;
    readonly path: readonly PropertyKey[];
    readonly expected?: unknown;
  }[],
  input: unknown,
  base: Path,
  document: Pick<ConfigDocument, 'origins'>,
): unknown {
  let repaired = input;
  for (const issue of issues) {
    if (issue.code !== 'invalid_type') continue;
    const path = issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)));
    const text = valueAt(input, path);
    if (typeof text !== 'string' || document.origins([...base, ...path]).length === 0) continue;
    const value = readAs(issue.expected, text.trim());
    if (value !== undefined) repaired = withValue(repaired, path, value);
  }
  return repaired;
}

function readAs(expected: unknown, text: string): number | boolean | undefined {
  if ((expected === 'number' || expected === 'int') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (expected === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return undefined;
}

function withValue(root: unknown, path: Path, value: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (Array.isArray(root))
    return root.map((item, i) => (i === segment ? withValue(item, rest, value) : item));
  if (!isMap(root)) return root;
  return Object.fromEntries(
    Object.entries(root).map(([key, inner]) => [
      key,
      key === segment ? withValue(inner, rest, value) : inner,
    ]),
  );
}

function shape(schema: ZodType): JsonNode {
  const known = shapes.get(schema) ?? shapeOf(schema);
  shapes.set(schema, known);
  return known;
}
