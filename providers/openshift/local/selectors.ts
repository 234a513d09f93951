import { badRequest } from './errors.ts';
import { at, type JsonObject } from './json.ts';
import type { Selector } from './types.ts';

export type Labels = Readonly<Record<string, string>> | undefined;
type LabelMatcher = (labels: Labels) => boolean;

/** `app=shop,tier!=db,env in (a,b),!old`; throws a BadRequest that quotes what it cannot read. */
export function parseLabelSelector(text: string): LabelMatcher {
  const matchers: LabelMatcher[] = [];
  // Commas within parentheses separate values, not requirements.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = part.trim();
    if (requirement !== '') matchers.push(parseRequirement(requirement));
  }
  return (labels) => matchers.every((matches) => matches(labels));
}

function parseRequirement(text: string): LabelMatcher {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels?.[key] ?? '\0') === (operator === 'in');
  }
  const pair = /^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (pair) {
    const [, key = '', operator, value = ''] = pair;
    return (labels) => (labels?.[key] === value) === (operator !== '!=');
  }
  const presence = /^(!?)\s*([^\s!=(),]+)$/.exec(text);
  if (presence) {
    const [, not, key = ''] = presence;
    return (labels) => (labels?.[key] !== undefined) === (not === '');
  }
  throw badRequest(`unable to parse requirement: found '${text}'`);
}

/** `metadata.name=x,status.phase!=Running` over any path of the object. */
export function parseFieldSelector(text: string): (object: JsonObject) => boolean {
  const matchers: ((object: JsonObject) => boolean)[] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const parsed = /^\s*([^!=\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
    if (!parsed) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const [, path = '', operator, value] = parsed;
    matchers.push((object) => {
      const found = at(object, ...path.split('.'));
      return (String(found ?? '') === value) === (operator !== '!=');
    });
  }
  return (object) => matchers.every((matches) => matches(object));
}

export function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels?.[key] !== value) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels?.[key];
    const holds =
      operator === 'In'
        ? value !== undefined && values.includes(value)
        : operator === 'NotIn'
          ? value === undefined || !values.includes(value)
          : operator === 'Exists'
            ? value !== undefined
            : value === undefined;
    if (!holds) return false;
  }
  return true;
}

/** `app=shop,tier=web`: the form of `status.selector` in a Scale. */
export function formatSelector(selector: Selector): string {
  return Object.entries(selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
