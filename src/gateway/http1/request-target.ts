/** `host`, `host:port`, `[v6]:port`: no user, no path, no list. */
const AUTHORITY = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
const ABSOLUTE_FORM = /^https?:\/\/([^/?]+)(.*)$/i;

export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}

export interface ReducedTarget {
  readonly target: string;
  readonly authority: string;
}

/** Origin form and authority of an absolute form (RFC 9112 §3.2.2), whose bytes have been looked at already. */
export function reduceAbsolute(text: string, method: string): ReducedTarget | undefined {
  const match = ABSOLUTE_FORM.exec(text);
  if (match === null) return undefined;
  const authority = match[1]!;
  const rest = match[2]!;
  if (!isAuthority(authority)) return undefined;
  // What an OPTIONS without path and query is about is the server itself (RFC 9112 §3.2.4).
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}
