/** In place of a value that looks secret. */
const REDACTED = '***';

/**
 * Keys whose values open something: tokens, passwords, signatures of presigned URLs, codes of OAuth. Parts of words
 * where the part is telling, whole words where it is not (`code`, but not `postcode`).
 */
const SECRET_KEY =
  /token|secret|passw|pwd|api-?_?key|access-?_?key|private-?_?key|signature|credential|session|^(?:auth|authorization|sig|jwt|key|code|sid|otp|pin)$/i;

/** A target or URL, with the values of query keys that look secret taken out. Nearly all have none to look at. */
export function redactQuery(target: string): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  const query = target.slice(mark + 1);
  let changed = false;
  const parts = query.split('&').map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0 || equals === part.length - 1 || !isSecretKey(part.slice(0, equals))) return part;
    changed = true;
    return `${part.slice(0, equals)}=${REDACTED}`;
  });
  return changed ? `${target.slice(0, mark)}?${parts.join('&')}` : target;
}

function isSecretKey(key: string): boolean {
  if (!key.includes('%')) return SECRET_KEY.test(key);
  try {
    return SECRET_KEY.test(decodeURIComponent(key));
  } catch {
    // Nobody can say what it is called, so nobody can say that it is harmless.
    return true;
  }
}
