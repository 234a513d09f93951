import { stringify } from 'yaml';
import type { Settings } from '../core/settings.ts';
import { formatBytes, formatDuration } from '../core/units.ts';
import { createRedactor, type LabelledSecret } from '../lib/redact.ts';

/**
 * The resolved configuration, safe to show: `<redacted from ${CF_PASSWORD}>` where a value came in by a reference,
 * `<redacted>` where a secret stood in clear. Plain JSON.
 */
export function redactedSettings(settings: Settings): unknown {
  const { secrets: _secrets, references = [], ...shown } = settings;
  const labels = new Map<string, Set<string>>();
  for (const { from, value } of references) labels.set(value, (labels.get(value) ?? new Set()).add(from));
  const whole = new Map([...labels].map(([value, from]) => [value, label([...from])]));
  const inside: LabelledSecret[] = settings.secrets.map((value) => ({
    value,
    label: whole.get(value) ?? '<redacted>',
  }));
  return createRedactor(inside).value(replaceWhole(shown, whole));
}

/** The same for people: YAML with `1s` and `256Mi` instead of milliseconds and bytes. */
export function printSettings(settings: Settings): string {
  return stringify(withUnits(redactedSettings(settings)), { lineWidth: 0 });
}

function label(from: readonly string[]): string {
  return `<redacted from ${from.join(' or ')}>`;
}

/**
 * Values that are a reference and nothing else get their label even when they are too short or too ordinary to be
 * searched for inside other texts.
 */
function replaceWhole(given: unknown, labels: ReadonlyMap<string, string>): unknown {
  if (typeof given === 'string') return labels.get(given) ?? given;
  if (Array.isArray(given)) return given.map((item) => replaceWhole(item, labels));
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, replaceWhole(value, labels)]));
}

function withUnits(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(withUnits);
  if (typeof given !== 'object' || given === null) return given;
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(given)) {
    const isNumber = typeof value === 'number';
    if (isNumber && /[a-z]Ms$/.test(key)) entries.push([key.slice(0, -2), formatDuration(value)]);
    else if (isNumber && /[a-z]Bytes$/.test(key)) entries.push([key.slice(0, -5), formatBytes(value)]);
    else if (value !== undefined) entries.push([key, withUnits(value)]);
  }
  return Object.fromEntries(entries);
}
