import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json } from '../foundation.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** `GET`, `/v3/apps/:guid`, 200 and a body → what the specification has against it. */
export type SpecificationCheck = (
  method: string,
  definition: string,
  status: number,
  body: Json,
) => readonly string[];

export function createSpecificationCheck(document: Json): SpecificationCheck {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: {
      uuid: UUID,
      uri: URL.canParse,
      'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      double: true,
      binary: true,
    },
  });
  const compiled = new Map<string, ValidateFunction>();
  const paths = new Map<string, Json>();
  for (const [path, operations] of Object.entries(document.paths)) paths.set(plain(path), operations);

  function resolved(node: Json): Json {
    if (typeof node?.$ref !== 'string') return node;
    return node.$ref
      .slice(2)
      .split('/')
      .reduce((at: Json, key: string) => at?.[key], document);
  }

  return (method, definition, status, body) => {
    const operation = paths.get(plain(definition))?.[method.toLowerCase()];
    if (!operation) return ['the specification does not have this operation'];
    const response = resolved(operation.responses[String(status)]);
    if (!response) return [`the specification does not have the status ${status}`];
    const schema = response.content?.['application/json']?.schema;
    if (!schema || body === undefined) return [];
    const key = `${method} ${definition} ${status}`;
    const validate = compiled.get(key) ?? ajv.compile({ ...schema, components: document.components });
    compiled.set(key, validate);
    return validate(body) ? [] : [...new Set((validate.errors ?? []).map(complaint))];
  };
}

/** `/v3/apps/{guid}` and `/v3/apps/:guid?x=y` alike. */
function plain(path: string): string {
  return path.replace(/\?.*$/, '').replace(/\{[^}]*\}|:[\w-]+/g, '*');
}

function complaint(error: ErrorObject): string {
  const path = error.instancePath
    .slice(1)
    .replace(/(^|\/)\d+(?=\/|$)/g, '[]')
    .replaceAll('/', '.');
  const allowed = error.params['allowedValues'];
  return `${path}: ${error.message}${allowed === undefined ? '' : ` ${JSON.stringify(allowed)}`}`;
}
