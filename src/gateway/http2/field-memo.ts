import type { FieldSection } from '../http1/field-section.ts';

const SLOTS = 1_024;
/** Longer ones are rare, and comparing them costs as much as copying. */
const MOST_BYTES = 256;
/** Others in the same place before the one that is kept gives way. */
const PATIENCE = 8;

interface Known {
  readonly line: Buffer;
  readonly nameLength: number;
  readonly name: string;
  readonly value: string;
  misses: number;
}

/**
 * Field lines seen before, as strings: applications repeat themselves, and comparing bytes is cheaper than making two
 * strings of them. It also makes them the same strings again, which is what the header encoder looks for.
 */
export class FieldMemo {
  readonly #slots = new Array<Known | undefined>(SLOTS).fill(undefined);

  /** Appends name (lower case) and value of a field line. */
  append(fields: FieldSection, index: number, to: string[]): void {
    const { bytes, spans } = fields;
    const from = spans[4 * index]!;
    const nameTo = spans[4 * index + 1]!;
    const valueTo = spans[4 * index + 3]!;
    const slot = slotOf(bytes, from, nameTo, valueTo);
    const known = this.#slots[slot];
    if (known !== undefined && known.nameLength === nameTo - from) {
      const same = commonLength(known.line, bytes, from, valueTo);
      if (same === known.line.length && same === valueTo - from) {
        to.push(known.name, known.value);
        return;
      }
      known.misses += 1;
      if (known.misses < PATIENCE) {
        const name = same >= known.nameLength ? known.name : fields.name(index).toLowerCase();
        to.push(name, fields.value(index));
        return;
      }
    }
    const name = fields.name(index).toLowerCase();
    const value = fields.value(index);
    to.push(name, value);
    if (valueTo - from > MOST_BYTES) return;
    const line = Buffer.from(bytes.subarray(from, valueTo));
    this.#slots[slot] = { line, nameLength: nameTo - from, name, value, misses: 0 };
  }
}

function slotOf(bytes: Buffer, from: number, nameTo: number, valueTo: number): number {
  const ends = bytes[from]! + 31 * bytes[nameTo - 1]! + 131 * bytes[(from + nameTo) >> 1]!;
  return (ends + 521 * (nameTo - from) + 7 * (valueTo - nameTo)) & (SLOTS - 1);
}

/** How many bytes of `line` stand in `bytes[from..to)` from its beginning on. */
function commonLength(line: Buffer, bytes: Buffer, from: number, to: number): number {
  const most = Math.min(line.length, to - from);
  let i = 0;
  while (i < most && line[i] === bytes[from + i]) i += 1;
  return i;
}
