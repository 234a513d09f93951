import { remembered } from '../lib/remembered.ts';

/** In place of a value that looks secret. */
const REDACTED = '***';

/**
 * Keys whose values open something: tokens, passwords, signatures of presigned URLs, codes of OAuth. Parts of words
 * where the part is telling, whole words where it is not (`code`, but not `postcode`).
 */
const SECRET_KEY =
  /token|secret|passw|pwd|api-?_?key|access-?_?key|private-?_?key|signature|credential|session|^(?:auth|authorization|sig|jwt|key|code|sid|otp|pin)$/i;

/** An application has few keys, and each request brings some of them. A part of a text this short is a copy of it. */
const isSecret = remembered(looksSecret, { most: 1_024, longest: 12 });

/** A target or URL, with the values of query keys that look secret taken out. Nearly all have none to look at. */
export function redactQuery(target: string): string {
  let from = target.indexOf('?') + 1;
  if (from === 0) return target;
  let text = '';
  let kept = 0;
  // Looked for once each, or a long query without any would be gone through for every part of it.
  for (let equals = target.indexOf('=', from); equals >= 0; equals = target.indexOf('=', from)) {
    from = Math.max(from, target.lastIndexOf('&', equals) + 1);
    const next = target.indexOf('&', equals);
    const to = next < 0 ? target.length : next;
    if (equals < to - 1 && isSecret(target.slice(from, equals))) {
      text += target.slice(kept, equals + 1) + REDACTED;
      kept = to;
    }
    from = to + 1;
  }
  return kept === 0 ? target : text + target.slice(kept);
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
