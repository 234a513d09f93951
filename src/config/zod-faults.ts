import type { z } from 'zod';
import { didYouMean, remedyFor } from './did-you-mean.ts';
import { type Fault, keyFault, valueFault } from './fault.ts';
import { type JsonNode, knownKeys } from './known-keys.ts';
import { isMap, type Path, valueAt } from './path.ts';

type Issue = z.core.$ZodIssue;

interface IssueContext {
  /** What was decoded. */
  readonly input: unknown;
  /** JSON Schema of the decoder: the source of "did you mean". */
  readonly shape: JsonNode;
  /** Where `input` stands in the document. */
  readonly base: Path;
}

/** Turns what zod found into sentences for the person who wrote the file. No value is repeated: it may be secret. */
export function zodFaults(issues: readonly Issue[], context: IssueContext): readonly Fault[] {
  return issues.flatMap((issue) => faultsOf(issue, context));
}

function faultsOf(issue: Issue, context: IssueContext): readonly Fault[] {
  const inner = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
  const path: Path = [...context.base, ...inner];
  const input = valueAt(context.input, inner);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(context.shape, inner, context.input);
      const present = isMap(input) ? Object.keys(input) : [];
      const free = known.filter((key) => !present.includes(key));
      return issue.keys.map((key) =>
        keyFault(
          [...path, key],
          'unknown key',
          didYouMean(key, known) === undefined ? remedyFor(key, free) : remedyFor(key, known),
        ),
      );
    }
    case 'invalid_type':
      return [wrongType(issue.expected, input, path)];
    case 'invalid_value':
      return [wrongChoice(issue.values.map(String), input, path)];
    case 'too_small':
    case 'too_big':
      return [wrongSize(issue, path)];
    case 'invalid_key':
      return issue.issues.map((cause) => keyFault(path, messageOf(cause), remedyOf(cause)));
    case 'invalid_union':
      return unionFaults(issue, input, inner, context);
    case 'invalid_format':
      return [formatFault(issue.format, issue.message, path)];
    default:
      return [valueFault(path, messageOf(issue), remedyOf(issue))];
  }
}

/** A missing thing is reported at the key above it: there is nothing else to point at. */
function wrongType(expected: string, input: unknown, path: Path): Fault {
  const name = String(path.at(-1) ?? '');
  const kind = KINDS[expected] ?? expected;
  if (input === undefined) return keyFault(path, `"${name}" is missing`, `add \`${name}:\` (${kind})`);
  if (input === null) return valueFault(path, 'has no value', `give it one (${kind}) or remove the key`);
  const isNumeric = typeof input === 'string' && /^-?\d+(\.\d+)?$/.test(input);
  const quotes =
    expected === 'string' && typeof input !== 'object'
      ? '; put it in quotes'
      : (expected === 'number' || expected === 'int') && isNumeric
        ? '; remove the quotes'
        : '';
  return valueFault(path, `must be ${kind}`, `it is ${kindOf(input)} now${quotes}`);
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  return KINDS[typeof input] ?? typeof input;
}

function wrongChoice(allowed: readonly string[], input: unknown, path: Path): Fault {
  const name = String(path.at(-1) ?? '');
  const list = allowed.join(', ');
  if (input === undefined)
    return keyFault(path, `"${name}" is missing`, `add \`${name}: ${allowed[0] ?? ''}\``);
  if (input === null) return valueFault(path, 'has no value', `one of: ${list}`);
  const near = typeof input === 'string' ? didYouMean(input, allowed) : undefined;
  const one = allowed.length === 1 ? `only ${list} is known` : `one of: ${list}`;
  return valueFault(path, 'not a known value', near === undefined ? one : `did you mean "${near}"? (${one})`);
}

function wrongSize(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, path: Path): Fault {
  const small = issue.code === 'too_small';
  const bound = String(small ? issue.minimum : issue.maximum);
  const units: Readonly<Record<string, string>> = {
    string: ' characters',
    array: ' entries',
    set: ' entries',
  };
  const unit = units[issue.origin] ?? '';
  const empty = small && bound === '1' && unit !== '';
  const summary = empty
    ? 'is empty'
    : small
      ? `too ${unit ? 'short' : 'small'}`
      : `too ${unit ? 'long' : 'big'}`;
  return valueFault(
    path,
    summary,
    empty ? 'give it a value or remove the key' : `at ${small ? 'least' : 'most'} ${bound}${unit}`,
  );
}

/** Of several shapes the one meant is the one whose kind fits; without such a one, say which kinds there are. */
function unionFaults(
  issue: z.core.$ZodIssueInvalidUnion,
  input: unknown,
  inner: readonly (string | number)[],
  context: IssueContext,
): readonly Fault[] {
  const path: Path = [...context.base, ...inner];
  if ('options' in issue && Array.isArray(issue.options))
    return [wrongChoice(issue.options.map(String), input, path)];
  const branches = issue.errors.filter(
    (branch) => !branch.some((cause) => cause.path.length === 0 && cause.code === 'invalid_type'),
  );
  const fewest = [...branches].sort((a, b) => a.length - b.length)[0];
  if (fewest !== undefined) {
    return fewest.flatMap((cause) => faultsOf({ ...cause, path: [...inner, ...cause.path] }, context));
  }
  const kinds = issue.errors.flatMap((branch) =>
    branch.flatMap((cause) =>
      cause.code === 'invalid_type' ? [KINDS[cause.expected] ?? cause.expected] : [],
    ),
  );
  return [wrongType([...new Set(kinds)].join(' or ') || 'another value', input, path)];
}

const FORMATS: Readonly<Record<string, readonly [string, string]>> = {
  url: ['not a URL', 'with scheme and host: https://api.example.com'],
  regex: ['not in the form expected here', 'see docs/configuration.md'],
  starts_with: ['does not begin as it must', 'see docs/configuration.md'],
  ends_with: ['does not end as it must', 'see docs/configuration.md'],
};

function formatFault(format: string, message: string, path: Path): Fault {
  const [summary, remedy] = FORMATS[format] ?? [`not a valid ${format}`, 'see docs/configuration.md'];
  // Zod's own sentences all begin so; any other was written for this very key.
  if (/^Invalid\b/.test(message)) return valueFault(path, summary, remedy);
  return valueFault(path, message.split(' — ')[0] ?? message, message.split(' — ')[1] ?? remedy);
}

/** A provider's own sentence may carry its remedy behind a dash. */
function messageOf(issue: Issue): string {
  return issue.message.split(' — ')[0] ?? issue.message;
}

function remedyOf(issue: Issue): string {
  const given = issue.code === 'custom' ? issue.params?.['remedy'] : undefined;
  if (typeof given === 'string') return given;
  return issue.message.split(' — ').slice(1).join(' — ') || 'see docs/configuration.md';
}
