/** In place of a value that looks secret. */
const REDACTED = '***';

/**
 * Keys whose values open something: tokens, passwords, signatures of presigned URLs, codes of OAuth. Parts of words
 * where the part is telling, whole words where it is not (`code`, but not `postcode`).
 */
const SECRET_KEY =
  /token|secret|passw|pwd|api-?_?key|access-?_?key|private-?_?key|signature|credential|session|^(?:auth|authorization|sig|jwt|key|code|sid|otp|pin)$/i;

/** Of the keys met last; an application has few, and each request brings some of them. */
const MOST_KEYS = 1_024;
const secrecy = new Map<string, boolean>();

/** A target or URL, with the values of query keys that look secret taken out. Nearly all have none to look at. */
export function redactQuery(target: string): string {
  let from = target.indexOf('?') + 1;
  if (from === 0) return target;
  let text = '';
  let kept = 0;
  while (from < target.length) {
    const next = target.indexOf('&', from);
    const to = next < 0 ? target.length : next;
    const equals = target.indexOf('=', from);
    if (equals >= 0 && equals < to - 1 && isSecret(target.slice(from, equals))) {
      text += target.slice(kept, equals + 1) + REDACTED;
      kept = to;
    }
    from = to + 1;
  }
  return kept === 0 ? target : text + target.slice(kept);
}

function isSecret(key: string): boolean {
  const known = secrecy.get(key);
  if (known !== undefined) return known;
  const found = looksSecret(key);
  if (secrecy.size >= MOST_KEYS) secrecy.clear();
  secrecy.set(key, found);
  return found;
}

function looksSecret(key: string): boolean {
  if (!key.includes('%')) return SECRET_KEY.test(key);
  try {
    return SECRET_KEY.test(decodeURIComponent(key));
  } catch {
    // Nobody can say what it is called, so nobody can say that it is harmless.
    return true;
  }
}
