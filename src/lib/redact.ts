/**
 * Nothing we print may hold a secret. Two nets: by value (the secrets the configuration resolved, in the forms in
 * which they travel) and by key (what is called a password is one, wherever it came from).
 */
export interface Redactor {
  /** Replaces every occurrence of a secret, also URL-encoded, base64 or JSON-escaped, and what follows `Bearer`. */
  text(text: string): string;
  /** A deep copy, safe to print: by key, then by value. Errors become plain objects, cycles `[circular]`. */
  value(value: unknown): unknown;
}

export const REDACTED = '<redacted>';

/** Shorter ones occur in ordinary text by chance; they are still redacted by key. */
export const MIN_SECRET_LENGTH = 4;

export interface LabelledSecret {
  readonly value: string;
  /** What is printed in its place: `<redacted from ${CF_PASSWORD}>`. */
  readonly label: string;
}

export function createRedactor(secrets: readonly (string | LabelledSecret)[]): Redactor {
  const replacements = new Map<string, string>();
  /** As they were given, not as they travel: base64 of a word is no word. */
  const plain = new Set<string>();
  for (const secret of secrets) {
    const { value, label } = typeof secret === 'string' ? { value: secret, label: REDACTED } : secret;
    plain.add(value).add(value.toLowerCase());
    for (const form of formsOf(value)) if (!replacements.has(form)) replacements.set(form, label);
  }
  // Longest first: a secret that begins with another one must not leave its tail behind.
  const forms = [...replacements.keys()].sort((a, b) => b.length - a.length);
  const patterns = forms.map((form) => (plain.has(form) ? patternOf(form) : escapeRegExp(form)));
  const pattern = forms.length === 0 ? undefined : new RegExp(patterns.join('|'), 'g');

  function text(given: string): string {
    const byValue =
      pattern === undefined ? given : given.replace(pattern, (found) => replacements.get(found) ?? REDACTED);
    return byShape(byValue);
  }

  return { text, value: (given) => redactDeep(given, text, new Set()) };
}

const CREDENTIAL_IN_URL = /(\/\/[^\s/:@"'<>]*:)[^\s/@"'<>]+(?=@)/g;
const AUTHORIZATION = /\b(bearer|basic)(\s+)(?=\S*[\d+/=_.-]|\S{16})[\w+/=.~-]{8,}/gi;

/** What is a credential by the way it stands in the text, whether we know its value or not. */
function byShape(text: string): string {
  return text.replace(CREDENTIAL_IN_URL, `$1${REDACTED}`).replace(AUTHORIZATION, `$1$2${REDACTED}`);
}

function formsOf(secret: string): Set<string> {
  const forms = new Set<string>();
  for (const part of [secret, ...longLines(secret)]) {
    if (part.length < MIN_SECRET_LENGTH) continue;
    forms.add(part);
    // Host names and header values are lower-cased on their way.
    forms.add(part.toLowerCase());
    forms.add(JSON.stringify(part).slice(1, -1));
    forms.add(encodeURI(toWellFormed(part)));
    const encoded = encodeURIComponent(toWellFormed(part));
    forms.add(encoded);
    forms.add(encoded.replace(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase()));
    forms.add(encoded.replaceAll('%20', '+'));
    for (const form of base64Forms(part)) forms.add(form);
  }
  return forms;
}

/** A private key is printed line by line, so each of its lines is a secret too; its first and last are not. */
function longLines(secret: string): readonly string[] {
  if (!secret.includes('\n')) return [];
  return secret
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= 16 && !line.startsWith('-----'));
}

/**
 * Base64 of a text that contains the secret: `Basic` credentials put a name and a colon in front of it, so it may
 * begin at any of three bit positions. Only the characters it alone decides can be recognised.
 */
function base64Forms(secret: string): readonly string[] {
  const forms: string[] = [Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('base64url')];
  for (const shift of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
    const first = Math.ceil((shift * 8) / 6);
    const last = Math.floor((bytes.length * 8) / 6);
    forms.push(bytes.toString('base64').slice(first, last), bytes.toString('base64url').slice(first, last));
  }
  return forms.filter((form) => form.length >= 6);
}

const SECRET_WORDS = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'token',
  'apikey',
  'privatekey',
  'secretkey',
  'accesskey',
  'credential',
  'credentials',
  'authorization',
  'cookie',
] as const;
const SECRET_KEYS: ReadonlySet<string> = new Set(['key', 'auth', 'pwd', 'pass', 'bearer', 'jwt']);
/** Numbers under these are counters and fencing tokens, not secrets. */
const MAY_BE_NUMBER: ReadonlySet<string> = new Set(['token', 'key', 'cookie']);

/** `password`, `DB_PASSWORD`, `clientSecret`, `set-cookie`, `x-api-key`; not `tokens`, `keyboard`, `monkey`. */
export function isSecretKey(key: string): boolean {
  const name = key.toLowerCase().replace(/[-_.\s]/g, '');
  return SECRET_KEYS.has(name) || SECRET_WORDS.some((word) => name.endsWith(word));
}

function redactDeep(given: unknown, text: (text: string) => string, above: Set<object>): unknown {
  if (typeof given === 'string') return text(given);
  if (typeof given === 'number' || typeof given === 'bigint') return redactNumber(given, text);
  if (typeof given !== 'object' || given === null) return given;
  if (given instanceof Date) return given;
  if (ArrayBuffer.isView(given)) return `<${given.byteLength} bytes>`;
  if (above.has(given)) return '[circular]';
  above.add(given);
  const copy = Array.isArray(given)
    ? given.map((item) => redactDeep(item, text, above))
    : given instanceof Set
      ? [...given].map((item) => redactDeep(item, text, above))
      : redactEntries(entriesOf(given), text, above);
  above.delete(given);
  return copy;
}

function redactEntries(
  entries: readonly (readonly [string, unknown])[],
  text: (text: string) => string,
  above: Set<object>,
): Record<string, unknown> {
  const copy: [string, unknown][] = [];
  for (const [key, value] of entries) {
    copy.push([
      // A key of letters alone is a field's name, even if somebody's user is called `platform`.
      /^[A-Za-z]+$/.test(key) ? key : text(key),
      isSecretKey(key) ? redactWhole(key, value, text, above) : redactDeep(value, text, above),
    ]);
  }
  return Object.fromEntries(copy);
}

/** Under a secret key every text is a secret, however deep; a label that says where it came from is kept. */
function redactWhole(
  key: string,
  given: unknown,
  text: (text: string) => string,
  above: Set<object>,
): unknown {
  if (typeof given === 'string') {
    const shown = text(given);
    return given === '' || /^<redacted[^>]*>$/.test(shown) ? shown : REDACTED;
  }
  if (typeof given === 'number' || typeof given === 'bigint') {
    return MAY_BE_NUMBER.has(key.toLowerCase()) ? given : REDACTED;
  }
  if (typeof given !== 'object' || given === null) return given;
  if (ArrayBuffer.isView(given)) return REDACTED;
  if (above.has(given)) return '[circular]';
  above.add(given);
  const copy = Array.isArray(given)
    ? given.map((item) => redactWhole(key, item, text, above))
    : Object.fromEntries(
        entriesOf(given).map(([inner, value]) => [text(inner), redactWhole(inner, value, text, above)]),
      );
  above.delete(given);
  return copy;
}

function redactNumber(given: number | bigint, text: (text: string) => string): unknown {
  const shown = String(given);
  const redacted = text(shown);
  // Only as a whole: a number that merely contains the digits of a secret is another number.
  return /^<redacted[^>]*>$/.test(redacted) ? redacted : given;
}

function entriesOf(given: object): readonly (readonly [string, unknown])[] {
  if (given instanceof Map) return [...given].map(([key, value]) => [String(key), value] as const);
  if (!(given instanceof Error)) return Object.entries(given);
  const own = new Map<string, unknown>([
    ['name', given.name],
    ['message', given.message],
    ['stack', given.stack],
  ]);
  for (const [key, value] of Object.entries(given)) own.set(key, value);
  if (given.cause !== undefined) own.set('cause', given.cause);
  return [...own];
}

/** The longest that may be an ordinary word: a user called `deploy` or `admin`. */
const LONGEST_WORD = 12;
/** Not within a word; an escaped character in front (`%3D`, `\\n` in JSON) ends one too. */
const WORD_BEGINS = String.raw`(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[bfnrt]))`;

/** What may be an ordinary word is a secret only as a whole one: `admin` must not tear `adminPort` apart. */
function patternOf(form: string): string {
  const mayBeWord = form.length <= LONGEST_WORD && /^[A-Za-z]+$/.test(form);
  return mayBeWord ? String.raw`${WORD_BEGINS}${form}(?!\w)` : escapeRegExp(form);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** encodeURIComponent throws on half a surrogate pair. */
function toWellFormed(text: string): string {
  return Buffer.from(text).toString();
}
