import { isIP } from 'node:net';

/** An absolute URL on the platform's host becomes one on the public host; anything else stays. */
export function rewriteLocation(value: string, from: string, to: string, scheme: string): string {
  const match = /^(https?:)?\/\/([^/?#]+)(.*)$/is.exec(value);
  if (match === null) return value;
  if (authorityOf(match[2]!, match[1]) !== authorityOf(from, match[1])) return value;
  return `${scheme}://${to}${match[3]}`;
}

/** `5; url=https://…`, which is in no RFC and understood by every browser (HTML, `http-equiv=refresh`). */
export function rewriteRefresh(value: string, from: string, to: string, scheme: string): string {
  const match = /^(\s*[0-9.]+\s*[;,]\s*(?:url\s*=\s*)?)(["']?)(.*?)(["']?\s*)$/is.exec(value);
  if (match === null) return value;
  return `${match[1]}${match[2]}${rewriteLocation(match[3]!, from, to, scheme)}${match[4]}`;
}

/** Lower case, and without the port that its scheme means anyway. */
function authorityOf(authority: string, scheme: string | undefined): string {
  const lower = authority.toLowerCase();
  const wellKnown = scheme?.toLowerCase() === 'http:' ? ':80' : ':443';
  return lower.endsWith(wellKnown) ? lower.slice(0, -wellKnown.length) : lower;
}

/**
 * `Domain` naming the platform's host, or a parent of it, becomes the public host without its port. An address cannot
 * be a domain (RFC 6265 §5.1.3): there the cookie becomes one of this host only.
 */
export function rewriteCookieDomain(value: string, from: string, to: string): string {
  return value.replace(/;(\s*)domain\s*=\s*([^;]*)/i, (whole, space: string, domain: string) => {
    const wanted = domain.trim().replace(/^\./, '').toLowerCase();
    const host = hostname(from).toLowerCase();
    if (wanted !== host && !host.endsWith(`.${wanted}`)) return whole;
    const name = hostname(to);
    return name.startsWith('[') || isIP(name) !== 0 ? '' : `;${space}Domain=${name}`;
  });
}

/** An authority without its port. */
export function hostname(authority: string): string {
  if (authority.startsWith('[')) {
    const end = authority.indexOf(']');
    return end < 0 ? authority : authority.slice(0, end + 1);
  }
  const colon = authority.indexOf(':');
  return colon < 0 ? authority : authority.slice(0, colon);
}
