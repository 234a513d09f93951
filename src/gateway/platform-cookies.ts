import type { PlatformName } from '../core/ids.ts';

/**
 * Cookies by which a platform's router finds an instance again. They mean nothing on another platform, and there are
 * several behind us: so the client gets them under a name that says whose they are, and each platform gets back only
 * its own. Cloud Foundry's is `__VCAP_ID__`; OpenShift's has a name and a value of 32 hex digits and is marked for all
 * paths and HttpOnly.
 */
export const CLOUD_FOUNDRY = '__VCAP_ID__';
const OPENSHIFT = /^[0-9a-f]{32}=[0-9a-f]{32}; path=\/; HttpOnly(;|$)/;

/** All names of ours begin so: `sluice.cf-eu.__VCAP_ID__`, and the affinity cookie. */
export const OUR_COOKIES = 'sluice.';

/** Whether this Set-Cookie value is a router's own. */
export function isPlatformCookie(value: string): boolean {
  return value.startsWith(`${CLOUD_FOUNDRY}=`) || OPENSHIFT.test(value);
}

/** A router's Set-Cookie value under its scoped name; any other one as it is. */
export function scopeSetCookie(value: string, platform: PlatformName): string {
  return isPlatformCookie(value) ? `${OUR_COOKIES}${platform}.${value}` : value;
}

/** False for nearly all, and told from bytes by `http1/octet-scan.wat`: then the value may be passed on as it is. */
export function hasPlatformCookies(value: string): boolean {
  return value.includes(OUR_COOKIES) || value.includes(CLOUD_FOUNDRY);
}

/**
 * A Cookie value as this platform may see it: its own cookies under their own names, none of another platform, none
 * of the gateway's, and no router's cookie that did not come through us. Empty when nothing is left.
 */
export function unscopeCookies(value: string, platform: PlatformName): string {
  const own = `${OUR_COOKIES}${platform}.`;
  const kept: string[] = [];
  for (const part of value.split(';')) {
    const cookie = part.trim();
    if (cookie.startsWith(own)) kept.push(cookie.slice(own.length));
    else if (!cookie.startsWith(OUR_COOKIES) && !cookie.startsWith(`${CLOUD_FOUNDRY}=`) && cookie !== '') {
      kept.push(cookie);
    }
  }
  return kept.join('; ');
}

/** The values of all cookies with this name in a Cookie value. */
export function cookieValues(value: string, name: string): string[] {
  const found: string[] = [];
  for (const part of value.split(';')) {
    const cookie = part.trim();
    if (cookie.startsWith(`${name}=`)) found.push(cookie.slice(name.length + 1));
  }
  return found;
}
