import { z } from 'zod';
import {
  formatBytes,
  formatDuration,
  MAX_DURATION_MS,
  type Parsed,
  parseBytes,
  parseDuration,
  parseRate,
  parseRatio,
  type Rate,
} from '../core/units.ts';

/**
 * The kinds of value `sluice.yaml` knows. Each takes what a person writes, gives what the program needs, and
 * describes itself for the JSON Schema and docs/configuration.md.
 */
interface Notes {
  readonly says: string;
  /** The default as a person would write it. */
  readonly otherwise?: string | number | boolean;
}

export function duration(notes: Notes, bounds: { min?: number; max?: number } = {}) {
  return unit('a duration', '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$', notes, (text) =>
    within(parseDuration(text, Math.max(MAX_DURATION_MS, bounds.max ?? 0)), bounds, formatDuration),
  );
}

export function size(notes: Notes, bounds: { min?: number; max?: number } = {}) {
  return unit('a size', '^\\d+(\\.\\d+)?([BKMGT]|[KMGT]i|[KMGT]B)$', notes, (text) =>
    within(parseBytes(text), bounds, formatBytes),
  );
}

export function rate(notes: Notes) {
  return unit<Rate>('a rate', '^\\d+(\\.\\d+)?(rps|rpm)(/instance)?$', notes, parseRate);
}

/** `70%` or `0.7`. */
export function ratio(notes: Notes) {
  return z
    .unknown()
    .transform((given, context) => {
      const parsed =
        typeof given === 'string' || typeof given === 'number'
          ? parseRatio(given)
          : notText('a part of a whole', 'write a percentage: 70%');
      return unwrap(parsed, context);
    })
    .meta({
      anyOf: [
        { type: 'number', minimum: 0, maximum: 1 },
        { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
      ],
      ...described(notes),
    });
}

export function whole(notes: Notes, bounds: { min: number; max: number }) {
  return z.number().int().min(bounds.min).max(bounds.max).meta(described(notes));
}

export function decimal(notes: Notes, bounds: { min: number; max: number }) {
  return z.number().min(bounds.min).max(bounds.max).meta(described(notes));
}

export function yesNo(notes: Notes) {
  return z.boolean().meta(described(notes));
}

export function text(notes: Notes) {
  return z.string().min(1).meta(described(notes));
}

export function choice<const T extends readonly [string, ...string[]]>(notes: Notes, options: T) {
  return z.enum(options).meta(described(notes));
}

/** A text with a rule of its own; `check` gives the fault, or undefined when all is well. */
export function checkedText(
  notes: Notes,
  pattern: string,
  check: (text: string) => { readonly fault: string; readonly remedy: string } | undefined,
) {
  return z
    .string()
    .superRefine((given, context) => {
      const wrong = check(given);
      if (wrong) context.addIssue({ code: 'custom', message: wrong.fault, params: { remedy: wrong.remedy } });
    })
    .meta({ pattern, ...described(notes) });
}

function unit<T>(what: string, pattern: string, notes: Notes, parse: (text: string) => Parsed<T>) {
  return z
    .unknown()
    .transform((given, context) => {
      // A bare number is the commonest slip, and guessing its unit would be wrong half of the time.
      const parsed =
        typeof given === 'string' || typeof given === 'number'
          ? parse(String(given))
          : notText(what, 'write a number with its unit');
      return unwrap(parsed, context);
    })
    .meta({ type: 'string', pattern, ...described(notes) });
}

function unwrap<T>(parsed: Parsed<T>, context: z.RefinementCtx): T {
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.fault, params: { remedy: parsed.remedy } });
  return z.NEVER;
}

function notText(what: string, remedy: string): { ok: false; fault: string; remedy: string } {
  return { ok: false, fault: `not ${what}`, remedy };
}

function within(
  parsed: Parsed<number>,
  { min = 0, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number },
  format: (value: number) => string,
): Parsed<number> {
  if (!parsed.ok) return parsed;
  if (parsed.value < min) return { ok: false, fault: 'too little', remedy: `at least ${format(min)}` };
  if (parsed.value > max) return { ok: false, fault: 'too much', remedy: `at most ${format(max)}` };
  return parsed;
}

/**
 * For `.meta()`. The default goes under a name of its own: zod drops `default` from the schema of anything it
 * transforms, and these defaults are what a person would write, not what comes out.
 */
export function described(notes: Notes): { description: string; otherwise?: string | number | boolean } {
  return {
    description: notes.says,
    ...(notes.otherwise === undefined ? {} : { otherwise: notes.otherwise }),
  };
}
