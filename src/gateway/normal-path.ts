/** What no path has that everybody reads alike. */
const READ_IN_SEVERAL_WAYS = /%|\/\.|\/\/|\\|;/;

/**
 * The path of a target as the most eager of servers reads it: escapes decoded once, backslashes for slashes, parameters
 * and empty segments dropped, dot segments resolved (RFC 3986 §6.2.2). Undefined when there is only one way to read it.
 */
export function normalPath(target: string): string | undefined {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (!READ_IN_SEVERAL_WAYS.test(path)) return undefined;
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_escape, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const segments: string[] = [];
  const parts = decoded.replaceAll('\\', '/').split('/');
  for (const part of parts) {
    const segment = part.split(';', 1)[0]!;
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const last = parts.at(-1)!;
  const isFolder = segments.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${segments.join('/')}${isFolder ? '/' : ''}`;
}
