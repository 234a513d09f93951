import type { JsonNode } from './known-keys.ts';
import { NOT_YET } from './not-yet.ts';
import { isMap } from './path.ts';

/** docs/configuration.md is written between these lines by the script that writes the schema; the rest is by hand. */
const REFERENCE_BEGIN = '<!-- keys: written by `npm run schema` -->';
const REFERENCE_END = '<!-- /keys -->';

/** The tables of all keys, from the JSON Schema, and of all that is not built yet. Markdown. */
function referenceTables(schema: JsonNode): string {
  const lines = ['| key | value | default | meaning |', '|---|---|---|---|'];
  for (const row of rowsOf(schema, '')) {
    lines.push(`| \`${row.key}\` | ${row.value} | ${row.standard} | ${escapeCell(row.says)} |`);
  }
  lines.push('', '### Not built yet', '', 'Refused by name, with the place and what to write instead.', '');
  lines.push('| key | what | instead |', '|---|---|---|');
  for (const { path, values, what, instead } of NOT_YET) {
    const only = values === undefined ? '' : `: ${values.map((value) => `\`${String(value)}\``).join(', ')}`;
    lines.push(`| \`${nameOf(path)}\`${only} | ${what} | ${escapeCell(instead ?? 'remove it')} |`);
  }
  return lines.join('\n');
}

/** The text with the tables put between the two lines. */
export function withReference(text: string, schema: JsonNode): string {
  const begin = text.indexOf(REFERENCE_BEGIN);
  const end = text.indexOf(REFERENCE_END);
  if (begin < 0 || end < begin) return text;
  return `${text.slice(0, begin)}${REFERENCE_BEGIN}\n\n${referenceTables(schema)}\n\n${text.slice(end)}`;
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly standard: string;
  readonly says: string;
}

function rowsOf(node: JsonNode, key: string): readonly Row[] {
  // The platforms' blocks belong to their providers and are described by hand.
  if (key === 'platforms.NAME' || isForbidden(node)) return [];
  const rows: Row[] = key === '' ? [] : [rowOf(node, key)];
  for (const map of mapsIn(node)) {
    const properties = isMap(map['properties']) ? map['properties'] : {};
    for (const [name, inner] of Object.entries(properties)) {
      if (isMap(inner)) rows.push(...rowsOf(inner, key === '' ? name : `${key}.${name}`));
    }
    const others = map['additionalProperties'];
    if (isMap(others) && mapsIn(others).length > 0) rows.push(...rowsOf(others, `${key}.NAME`));
  }
  const items = node['items'];
  if (isMap(items) && mapsIn(items).length > 0) rows.push(...mapsOnly(items, `${key}[]`));
  return rows;
}

function mapsOnly(node: JsonNode, key: string): readonly Row[] {
  return rowsOf(node, key).filter((row) => row.key !== key);
}

function mapsIn(node: JsonNode): readonly JsonNode[] {
  const choices = Array.isArray(node['anyOf']) ? node['anyOf'].filter(isMap) : [node];
  return choices.filter((choice) => choice['type'] === 'object');
}

function isForbidden(node: JsonNode): boolean {
  return 'not' in node;
}

function rowOf(node: JsonNode, key: string): Row {
  const standard = node['default'];
  return {
    key: nameOf(key),
    value: kindsOf(node),
    standard: standard === undefined ? '' : `\`${JSON.stringify(standard).replaceAll('"', '')}\``,
    says: typeof node['description'] === 'string' ? node['description'] : '',
  };
}

function kindsOf(node: JsonNode): string {
  const choices = Array.isArray(node['anyOf']) ? node['anyOf'].filter(isMap) : [node];
  const kinds = choices.filter((choice) => choice['pattern'] !== '\\$\\{').map(kindOf);
  return [...new Set(kinds)].filter((kind) => kind !== 'nothing').join(' or ');
}

function kindOf(node: JsonNode): string {
  if (Array.isArray(node['enum'])) return node['enum'].map((value) => `\`${String(value)}\``).join(', ');
  if ('const' in node) return `\`${String(node['const'])}\``;
  const pattern = String(node['pattern'] ?? '');
  if (pattern.includes('ms|s|m|h|d')) return 'duration';
  if (pattern.includes('[BKMGT]')) return 'size';
  if (pattern.includes('rps')) return 'rate';
  if (/^\^\\d.*%/.test(pattern)) return 'percentage';
  const range = [node['minimum'], node['maximum']].map((bound) =>
    typeof bound === 'number' ? bound : undefined,
  );
  const bounds = range[0] !== undefined && range[1] !== undefined ? ` ${range[0]}–${range[1]}` : '';
  return `${KINDS[String(node['type'])] ?? 'value'}${bounds}`;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'map',
  array: 'list',
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  null: 'nothing',
};

function nameOf(path: string): string {
  return path
    .replaceAll('.*', '.NAME')
    .replaceAll('routes.NAME', 'routes[]')
    .replaceAll('listen.NAME', 'listen[]');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/(^|\s)\*(?=\s|$)/g, '$1`*`');
}
