import type { ZodType } from 'zod';
import { type JsonNode, shapeOf } from './known-keys.ts';
import { platformMaintenanceSchema } from './maintenance-schema.ts';
import { NOT_YET, type NotYet } from './not-yet.ts';
import { isMap } from './path.ts';
import { rootSchema } from './schema.ts';
import { upstreamSchema } from './upstream-schema.ts';

type Node = Record<string, unknown>;

/**
 * The JSON Schema of `sluice.yaml` for editors, the platforms' blocks included. What is not built yet is in it, as
 * forbidden and with the reason, so that an editor says the same as `sluice validate`.
 */
export function jsonSchema(providers: Readonly<Record<string, { readonly schema: ZodType }>>): JsonNode {
  const root = copy(shapeOf(rootSchema));
  const platforms = nodeAt(root, ['properties', 'platforms']);
  platforms['additionalProperties'] = {
    description: 'One platform.',
    oneOf: Object.entries(providers).map(([kind, { schema }]) => platformSchema(kind, schema)),
  };
  for (const row of NOT_YET) forbid(root, row);
  const written = forWriting(root);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'sluice.yaml',
    description: 'Where an application lives and how it fails over. Written by a script: do not edit.',
    ...written,
  };
}

function platformSchema(kind: string, schema: ZodType): Node {
  const { $schema: _version, ...shape } = copy(shapeOf(schema));
  const choices = [shape['oneOf'], shape['anyOf']].find(Array.isArray);
  if (choices === undefined) return withProvider(shape, kind);
  return { oneOf: choices.filter(isMap).map((choice) => withProvider(copy(choice), kind)) };
}

function withProvider(shape: Node, kind: string): Node {
  const properties = isMap(shape['properties']) ? shape['properties'] : {};
  const required = Array.isArray(shape['required']) ? shape['required'] : [];
  return {
    ...shape,
    title: kind,
    properties: {
      provider: { const: kind, description: 'The kind of platform.' },
      ...properties,
      upstream: copy(shapeOf(upstreamSchema)),
      maintenance: copy(shapeOf(platformMaintenanceSchema)),
    },
    required: ['provider', ...required],
  };
}

/** Puts the key where it would stand, with nothing allowed in it. Rows about single values are left to the enum. */
function forbid(root: Node, row: NotYet): void {
  if (row.values !== undefined || row.path.startsWith('platforms.')) return;
  const segments = row.path.split('.');
  const last = segments.pop() ?? '';
  // `processes.*` but `web`: an editor learns that from the description.
  if (last === '*') return;
  for (const node of descend([root], segments)) {
    const properties = node['properties'];
    if (isMap(properties))
      node['properties'] = { ...properties, [last]: { description: `Not built yet: ${row.what}.`, not: {} } };
  }
}

function descend(nodes: readonly Node[], segments: readonly string[]): readonly Node[] {
  const maps = nodes.flatMap(alternatives);
  const [segment, ...rest] = segments;
  if (segment === undefined) return maps;
  const next = maps.flatMap((node): Node[] => {
    const properties = node['properties'];
    const inner =
      segment === '*'
        ? (node['additionalProperties'] ?? node['items'])
        : isMap(properties)
          ? properties[segment]
          : undefined;
    return isNode(inner) ? [inner] : [];
  });
  return descend(next, rest);
}

function alternatives(node: Node): readonly Node[] {
  const choices = node['anyOf'];
  return Array.isArray(choices) ? choices.filter(isNode).flatMap(alternatives) : [node];
}

/** What holds for every file: `x-` keys pass everywhere, and a value may be a reference instead. */
function forWriting(node: Node): Node {
  const { $schema: _version, ...rest } = node;
  const result: Node = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'properties' && isMap(value)) {
      result[key] = Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, isNode(inner) ? forWriting(inner) : inner]),
      );
    } else if (key === 'propertyNames' && isMap(value)) {
      result[key] = { anyOf: [value, { pattern: '^x-' }] };
    } else if (key === 'otherwise') {
      result['default'] = value;
    } else if (key === 'anyOf' && Array.isArray(value)) {
      result[key] = flat(value.map((inner) => (isNode(inner) ? forWriting(inner) : inner)));
    } else if (key === 'oneOf' && Array.isArray(value)) {
      result[key] = value.map((inner) => (isNode(inner) ? forWriting(inner) : inner));
    } else {
      const isSchema = key === 'items' || key === 'additionalProperties';
      result[key] = isSchema && isNode(value) ? forWriting(value) : value;
    }
  }
  if (result['type'] === 'object') result['patternProperties'] = { '^x-': {} };
  return allowReference(withoutNoise(result));
}

const REFERENCE = { type: 'string', pattern: '\\$\\{' };

/** Editors would call `"${PORT}"` wrong where a number, an enum or a pattern is asked for. */
function allowReference(node: Node): Node {
  const isScalar = ['string', 'number', 'integer', 'boolean'].includes(String(node['type']));
  const isNarrow = ['pattern', 'enum', 'format', 'minLength', 'maxLength'].some((key) => key in node);
  if (!isScalar || (node['type'] === 'string' && !isNarrow)) return node;
  const { description, default: standard, ...strict } = node;
  return {
    ...(description === undefined ? {} : { description }),
    ...(standard === undefined ? {} : { default: standard }),
    anyOf: [strict, REFERENCE],
  };
}

/** A choice that is only a choice itself is taken apart, so that "or a reference" stands once and last. */
function flat(choices: readonly unknown[]): readonly unknown[] {
  const flattened = choices.flatMap((choice) =>
    isNode(choice) &&
    Array.isArray(choice['anyOf']) &&
    Object.keys(choice).every((key) => DECORATION.has(key))
      ? choice['anyOf']
      : [choice],
  );
  const others = flattened.filter((choice) => choice !== REFERENCE);
  return others.length === flattened.length ? others : [...others, REFERENCE];
}

const DECORATION: ReadonlySet<string> = new Set(['anyOf', 'description', 'default']);

/** Zod writes the bounds of safe integers where nobody set any. */
function withoutNoise(node: Node): Node {
  const { minimum, maximum, ...rest } = node;
  return {
    ...rest,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}

function nodeAt(root: Node, path: readonly string[]): Node {
  let node = root;
  for (const key of path) {
    const next = node[key];
    if (!isNode(next)) return {};
    node = next;
  }
  return node;
}

function isNode(value: unknown): value is Node {
  return isMap(value);
}

function copy(node: JsonNode): Node {
  return structuredClone(node);
}
