import { isMap } from '../../src/config/path.ts';

/** The part of JSON Schema that ours uses, and an error for anything else: enough to ask what an editor would say. */
export function accepts(schema: unknown, value: unknown): boolean {
  if (typeof schema === 'boolean') return schema;
  if (!isMap(schema)) throw new Error(`not a schema: ${JSON.stringify(schema)}`);
  return Object.entries(schema).every(([keyword, given]) => {
    const rule = RULES[keyword];
    if (rule === undefined) throw new Error(`unknown keyword ${keyword}`);
    return rule(given, value, schema);
  });
}

type Rule = (given: unknown, value: unknown, schema: Readonly<Record<string, unknown>>) => boolean;

const always: Rule = () => true;

const RULES: Readonly<Record<string, Rule>> = {
  $schema: always,
  title: always,
  description: always,
  default: always,
  format: always,
  type: (given, value) => (Array.isArray(given) ? given : [given]).some((type) => typeIs(type, value)),
  const: (given, value) => given === value,
  enum: (given, value) => Array.isArray(given) && given.includes(value),
  not: (given, value) => !accepts(given, value),
  anyOf: (given, value) => Array.isArray(given) && given.some((choice) => accepts(choice, value)),
  oneOf: (given, value) =>
    Array.isArray(given) && given.filter((choice) => accepts(choice, value)).length === 1,
  pattern: (given, value) => typeof value !== 'string' || new RegExp(String(given), 'u').test(value),
  minLength: (given, value) => typeof value !== 'string' || value.length >= Number(given),
  maxLength: (given, value) => typeof value !== 'string' || value.length <= Number(given),
  minimum: (given, value) => typeof value !== 'number' || value >= Number(given),
  maximum: (given, value) => typeof value !== 'number' || value <= Number(given),
  minItems: (given, value) => !Array.isArray(value) || value.length >= Number(given),
  items: (given, value) => !Array.isArray(value) || value.every((item) => accepts(given, item)),
  required: (given, value) =>
    !isMap(value) || (Array.isArray(given) && given.every((key) => Object.hasOwn(value, String(key)))),
  propertyNames: (given, value) => !isMap(value) || Object.keys(value).every((key) => accepts(given, key)),
  properties: (given, value) =>
    !isMap(value) ||
    !isMap(given) ||
    Object.entries(given).every(([key, inner]) => !Object.hasOwn(value, key) || accepts(inner, value[key])),
  patternProperties: always,
  additionalProperties: (given, value, schema) =>
    !isMap(value) ||
    Object.entries(value).every(([key, inner]) => isCovered(schema, key) || accepts(given, inner)),
};

function isCovered(schema: Readonly<Record<string, unknown>>, key: string): boolean {
  const { properties, patternProperties } = schema;
  if (isMap(properties) && Object.hasOwn(properties, key)) return true;
  return (
    isMap(patternProperties) &&
    Object.keys(patternProperties).some((pattern) => new RegExp(pattern).test(key))
  );
}

function typeIs(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isMap(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
