import type { Json } from '../foundation.ts';

/** Documents whose keys are data, not structure. */
const FREE_KEYS =
  /(^|\.)(labels|annotations|attributes|process_types|processes|var|environment_variables|staging_env_json|running_env_json|VCAP_SERVICES|credentials|broker_catalog\.metadata|schemas|data\.request|custom)$/;

/**
 * Where two JSON documents differ in structure: keys one lacks, values of another kind. `null` fits anything, for
 * an example shows one state of a resource only. Every element of a list is held against the documented one that is
 * most like it.
 */
export function shapeDifferences(documented: Json, actual: Json, path = ''): readonly string[] {
  if (documented === null || actual === null) return [];
  const kinds = [kind(documented), kind(actual)];
  if (kinds[0] !== kinds[1]) return [`${path}: documented as ${kinds[0]}, is ${kinds[1]}`];
  if (kinds[0] === 'array') {
    if (documented.length === 0) return [];
    const differences = new Set<string>();
    for (const element of actual) {
      for (const one of leastDifferences(documented, element, `${path}[]`)) differences.add(one);
    }
    return [...differences];
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

/** Against whichever of several documented forms fits best: a list, or a page, may show two kinds of one thing. */
export function leastDifferences(forms: readonly Json[], actual: Json, path = ''): readonly string[] {
  let least: readonly string[] | undefined;
  for (const form of forms) {
    const differences = shapeDifferences(form, actual, path);
    if (!least || differences.length < least.length) least = differences;
  }
  return least ?? [];
}

function kind(value: Json): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
