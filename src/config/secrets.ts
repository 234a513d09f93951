import { isSecretKey } from '../lib/redact.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, warning } from './fault.ts';
import { isMap, matchesPath, type Path, pathKey, valueAt } from './path.ts';
import type { ResolvedReference } from './references.ts';

/**
 * The values nothing may print. All that came from `${…}`, but for words that tell nothing and would black out
 * ordinary output; and what is called a password or token and stands in clear.
 */
export function secretsOf(
  references: readonly ResolvedReference[],
  literals: ReadonlySet<string>,
  inClear: readonly string[],
): readonly string[] {
  const secrets = new Set<string>();
  for (const value of [...references.map((reference) => reference.value), ...inClear]) {
    if (value === '' || isOrdinary(value) || literals.has(value)) continue;
    secrets.add(value);
    for (const part of urlCredentials(value)) secrets.add(part);
  }
  return [...secrets];
}

const ORDINARY =
  /^(true|false|null|none|on|off|yes|no|trace|debug|info|warn|error|production|development|staging|test|localhost|127\.0\.0\.1|0\.0\.0\.0|\d{1,5})$/i;

function isOrdinary(value: string): boolean {
  return ORDINARY.test(value);
}

/** A whole URL is rarely printed whole; its password alone must not be printed either. */
function urlCredentials(value: string): readonly string[] {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/]*@/i.test(value) || !URL.canParse(value)) return [];
  const { password } = new URL(value);
  return password === '' ? [] : [...new Set([password, decodePercent(password)])];
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface SecretInClear {
  readonly path: Path;
  readonly value: string;
}

/** Texts below secret keys that did not come from `${…}`. */
export function secretsInClear(document: ConfigDocument): readonly SecretInClear[] {
  const found: SecretInClear[] = [];

  /** Resolved, or meant to be: an unset `${…}` is not a password. */
  function isReferred(path: Path): boolean {
    return document.origins(path).length > 0 || document.faulty.has(pathKey(path));
  }

  /** The key of a certificate is named by its file; only a PEM text is the key itself. */
  function isFile(value: string, path: Path): boolean {
    return matchesPath('gateway.listen.*.tls.*.key', path) && !value.includes('-----BEGIN');
  }

  function isSecret(value: string, path: Path): boolean {
    return isSecretKey(String(path.at(-1))) && !isReferred(path) && !isFile(value, path);
  }

  function visit(value: unknown, path: Path): void {
    if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, [...path, i]);
    else if (isMap(value)) for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    else if (typeof value === 'string' && isSecret(value, path)) {
      found.push({ path, value });
    }
  }

  for (const part of ['platforms', 'applications', 'gateway', 'state'] as const) {
    visit(valueAt(document.value, [part]), [part]);
  }
  return found;
}

/** Env variables are the user's own; credentials of platforms and registries and admin tokens in clear are worth a word. */
export function warnInClear(found: readonly SecretInClear[]): readonly Fault[] {
  return found
    .filter(({ path }) => path[0] === 'platforms' || path[0] === 'gateway' || path[2] === 'registry')
    .map(({ path }) =>
      warning(
        path,
        'a secret stands in clear in this file',
        'put it into the environment and write "${' + 'NAME}"',
      ),
    );
}
