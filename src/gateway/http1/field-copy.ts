import { KINDS } from './field-names.ts';
import type { FieldSection } from './field-section.ts';
import type { Staging } from './staging.ts';

/**
 * Copies the field lines as they are, without those whose kind is in `drops`. Lines that stay are copied together, and
 * with them the first line of the message when it begins at `lineFrom` (else -1).
 */
export function copyFields(
  staging: Staging,
  fields: FieldSection,
  drops: Uint8Array,
  lineFrom: number,
): void {
  const { bytes, spans, kinds, count, notable, notables } = fields;
  // The empty line that ends the section is the writer's.
  const end = fields.end - 2;
  let from = lineFrom >= 0 ? lineFrom : count > 0 ? spans[0]! : end;
  for (let n = 0; n < notables; n += 1) {
    const i = notable[n]!;
    if (drops[kinds[i]!] === 0) continue;
    const to = spans[4 * i]!;
    if (from < to) staging.octets(bytes, from, to);
    from = i + 1 < count ? spans[4 * i + 4]! : end;
  }
  if (from < end) staging.octets(bytes, from, end);
}

/** A table for `copyFields`. */
export function dropping(...kinds: readonly number[]): Uint8Array {
  const drops = new Uint8Array(KINDS);
  for (const kind of kinds) drops[kind] = 1;
  return drops;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Field lines from names and values in turn; undefined when one of them would split the message. */
export function fieldLines(headers: readonly string[]): string | undefined {
  let text = '';
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}
