/** The application's session cookie: with it the router keeps a client on one instance. */
const SESSION = 'JSESSIONID';
const INSTANCE = '__VCAP_ID__';

/** The instance a client was put on before; only together with the session does it count. */
export function stickyInstance(cookies: string | undefined): string | undefined {
  const sent = new Map<string, string>();
  for (const pair of (cookies ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0) sent.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
  return sent.has(SESSION) ? sent.get(INSTANCE) : undefined;
}

/**
 * The cookie the router adds to an answer: when the application begins a session, and when the instance of a session
 * is gone. It lives as long as the session's cookie and is as secure.
 */
export function stickyCookie(
  setCookies: readonly string[],
  wanted: string | undefined,
  answering: string,
  path: string,
): string | undefined {
  if (setCookies.some((cookie) => cookie.startsWith(`${INSTANCE}=`))) return undefined;
  const session = setCookies.find((cookie) => cookie.startsWith(`${SESSION}=`));
  if (session === undefined && (wanted === undefined || wanted === answering)) return undefined;
  const attributes = (session ?? '').split(';').slice(1);
  const copied = (name: string): string[] =>
    attributes.map((one) => one.trim()).filter((one) => one.toLowerCase().split('=', 1)[0] === name);
  return [
    `${INSTANCE}=${answering}`,
    `Path=${path === '' ? '/' : path}`,
    ...copied('expires'),
    ...copied('max-age'),
    'HttpOnly',
    ...copied('secure'),
    ...copied('samesite'),
  ].join('; ');
}
