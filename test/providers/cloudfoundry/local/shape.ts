import type { Json } from './foundation.ts';

/** Documents whose keys are data, not structure. */
const FREE_KEYS =
  /(^|\.)(labels|annotations|process_types|var|environment_variables|staging_env_json|running_env_json|VCAP_SERVICES|data\.request)$/;

/**
 * Where two JSON documents differ in structure: keys one lacks, values of another kind. `null` fits anything, for
 * an example shows one state of a resource only. Lists are compared by their first elements.
 */
export function shapeDifferences(documented: Json, actual: Json, path = ''): readonly string[] {
  if (documented === null || actual === null) return [];
  const kinds = [kind(documented), kind(actual)];
  if (kinds[0] !== kinds[1]) return [`${path}: documented as ${kinds[0]}, is ${kinds[1]}`];
  if (kinds[0] === 'array') {
    if (documented.length === 0 || actual.length === 0) return [];
    return shapeDifferences(documented[0], actual[0], `${path}[]`);
  }
  if (kinds[0] !== 'object' || FREE_KEYS.test(path)) return [];
  const differences: string[] = [];
  for (const key of new Set([...Object.keys(documented), ...Object.keys(actual)])) {
    const at = path === '' ? key : `${path}.${key}`;
    if (!(key in actual)) differences.push(`${at}: missing`);
    else if (!(key in documented)) differences.push(`${at}: not documented`);
    else differences.push(...shapeDifferences(documented[key], actual[key], at));
  }
  return differences;
}

function kind(value: Json): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
