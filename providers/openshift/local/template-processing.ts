import type { Random } from '../../../src/core/ports.ts';
import type { Cause } from './errors.ts';
import { isObject, type Json, type JsonObject, listAt, objectAt, textAt } from './json.ts';

/** What `oc process` is told: the template with its values, or why it cannot be filled in. */
export type Processed =
  | { readonly state: 'filled'; readonly template: JsonObject }
  | { readonly state: 'refused'; readonly causes: readonly Cause[] };

/** Values are generated where none is given, then every object is filled in, labelled and freed of its namespace. */
export function processTemplate(template: JsonObject, random: Random): Processed {
  const causes: Cause[] = [];
  const values = new Map<string, string>();
  const parameters = listAt(template, 'parameters').map((given, i): Json => {
    if (!isObject(given)) return given;
    const name = textAt(given, 'name') ?? '';
    const field = `template.parameters[${i}]`;
    const filled = valueFor(given, random);
    if (filled === undefined) {
      const what = textAt(given, 'generate');
      const message = `Unknown generator name '${what}' for parameter ${name}`;
      causes.push({ reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(message)}`, field });
    } else if (filled === '' && given['required'] === true) {
      const message = `parameter ${name} is required and must be specified`;
      causes.push({ reason: 'FieldValueRequired', message: `Required value: ${message}`, field });
    }
    values.set(name, filled ?? '');
    return { ...given, value: filled ?? '' };
  });
  if (causes.length > 0) return { state: 'refused', causes };
  const labels = objectAt(template, 'labels');
  const objects = listAt(template, 'objects').map((object) =>
    labelled(withoutNamespace(object, fill(object, values)), labels),
  );
  return { state: 'filled', template: { ...template, parameters, objects } };
}

function valueFor(parameter: JsonObject, random: Random): string | undefined {
  const given = textAt(parameter, 'value') ?? '';
  const generator = textAt(parameter, 'generate') ?? '';
  if (given !== '' || generator === '') return given;
  return generator === 'expression' ? generate(textAt(parameter, 'from') ?? '', random) : undefined;
}

const CLASSES: Readonly<Record<string, string>> = {
  '\\w': 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_',
  '\\d': '0123456789',
  '\\a': 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  '\\A': '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};

/** `user[A-Z0-9]{3}`: what stands in brackets is drawn, the rest stays. */
export function generate(expression: string, random: Random): string {
  return expression.replace(/\[([^\]]+)\](?:\{(\d+)\})?/g, (_whole, members: string, length?: string) => {
    const alphabet = members.replace(/\\[wdaA]|([^\\])-([^\\])/g, (part, from?: string, to?: string) =>
      from === undefined || to === undefined ? (CLASSES[part] ?? part) : range(from, to),
    );
    const draw = (): string => alphabet[Math.floor(random() * alphabet.length)] ?? '';
    return Array.from({ length: Number(length ?? 1) }, draw).join('');
  });
}

function range(from: string, to: string): string {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
  return String.fromCharCode(...Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i));
}

/** `${NAME}` within a text; a text that is `${{NAME}}` as a whole becomes what the value reads as. */
function fill(value: Json, values: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') {
    const whole = /^\$\{\{([a-zA-Z0-9_]+)\}\}$/.exec(value)?.[1];
    const raw = whole === undefined ? undefined : values.get(whole);
    if (raw !== undefined) return parsed(raw);
    return value.replace(/\$\{([a-zA-Z0-9_]+)\}/g, (text, name: string) => values.get(name) ?? text);
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, values));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [fill(key, values) as string, fill(inner ?? null, values)]),
  );
}

function parsed(raw: string): Json {
  try {
    return JSON.parse(raw) as Json;
  } catch {
    return raw;
  }
}

/** One that was chosen by a parameter stays. */
function withoutNamespace(before: Json, object: Json): Json {
  if (!isObject(object)) return object;
  const chosen = textAt(before, 'metadata', 'namespace')?.includes('${') === true;
  const { namespace, ...metadata } = objectAt(object, 'metadata');
  return { ...object, metadata: chosen && namespace !== undefined ? { ...metadata, namespace } : metadata };
}

function labelled(object: Json, labels: JsonObject): Json {
  if (!isObject(object) || Object.keys(labels).length === 0) return object;
  const metadata = objectAt(object, 'metadata');
  return { ...object, metadata: { ...metadata, labels: { ...objectAt(metadata, 'labels'), ...labels } } };
}
