import { type ZodType, z } from 'zod';
import { isMap, type Path, valueAt } from './path.ts';

/** A piece of JSON Schema. */
export type JsonNode = Readonly<Record<string, unknown>>;

/** The JSON Schema of what may be written (not of what it is decoded to). */
export function shapeOf(schema: ZodType): JsonNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
}

/** The keys a map at this path may have. Where several shapes are possible, a discriminator in the input narrows them. */
export function knownKeys(shape: JsonNode, path: Path, input: unknown): readonly string[] {
  let nodes: readonly JsonNode[] = [shape];
  for (const [depth, segment] of path.entries()) {
    const value = valueAt(input, path.slice(0, depth));
    nodes = nodes.flatMap((node) => fitting(node, value)).flatMap((node) => below(node, segment));
  }
  const value = valueAt(input, path);
  const keys = nodes
    .flatMap((node) => fitting(node, value))
    .flatMap((node) => Object.keys(mapOf(node['properties'])));
  return [...new Set(keys)];
}

function below(node: JsonNode, segment: string | number): readonly JsonNode[] {
  const properties = mapOf(node['properties']);
  const next =
    typeof segment === 'number'
      ? node['items']
      : Object.hasOwn(properties, segment)
        ? properties[segment]
        : node['additionalProperties'];
  return isMap(next) ? [next] : [];
}

function fitting(node: JsonNode, value: unknown): readonly JsonNode[] {
  const choices = [node['anyOf'], node['oneOf']].find(Array.isArray);
  if (choices === undefined) return [node];
  const maps = choices.filter(isMap).flatMap((choice) => fitting(choice, value));
  const chosen = maps.filter((choice) => agrees(choice, value));
  return chosen.length > 0 ? chosen : maps;
}

function agrees(node: JsonNode, value: unknown): boolean {
  return Object.entries(mapOf(node['properties'])).every(
    ([key, property]) =>
      !isMap(property) || !('const' in property) || valueAt(value, [key]) === property['const'],
  );
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {};
}
