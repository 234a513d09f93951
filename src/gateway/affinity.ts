import { createHmac } from 'node:crypto';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { cookieValues, OUR_COOKIES } from './platform-cookies.ts';

export const AFFINITY_COOKIE = `${OUR_COOKIES}affinity`;

/** 128 bits, in base64url. */
const MAC_LENGTH = 22;

/**
 * Cookies that name the platform a client belongs to. All clients of an application on a platform have the same one:
 * it says where, not who, so there is one to compute for each platform and nothing to compute for a request.
 */
export class AffinityCookies {
  readonly #fallback: string;
  #key: string;
  #values = new Map<ApplicationName, Map<PlatformName, string>>();

  constructor(settings: GatewaySettings, random: Random) {
    this.#fallback = Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 48).toString(36)).join('');
    this.#key = settings.affinityKey ?? this.#fallback;
  }

  tune({ affinityKey }: GatewaySettings): void {
    this.#key = affinityKey ?? this.#fallback;
    this.#values = new Map();
  }

  /** The platform of these that one of the cookies names; undefined when none does, or it is not from us. */
  platformOf(
    cookie: string,
    application: ApplicationName,
    platforms: ReadonlySet<PlatformName>,
  ): PlatformName | undefined {
    for (const value of cookieValues(cookie, AFFINITY_COOKIE)) {
      const platform = value.slice(0, Math.max(0, value.length - MAC_LENGTH - 1));
      // Only for what is in the table, or strangers could make us remember names without end.
      if (platforms.has(platform) && equalInTime(value, this.value(application, platform))) return platform;
    }
    return undefined;
  }

  /** `cf-eu.` and a code that only who has the key can make. */
  value(application: ApplicationName, platform: PlatformName): string {
    let ofApplication = this.#values.get(application);
    if (ofApplication === undefined) {
      ofApplication = new Map();
      this.#values.set(application, ofApplication);
    }
    let value = ofApplication.get(platform);
    if (value === undefined) {
      const code = createHmac('sha256', this.#key).update(`affinity\0${application}\0${platform}`);
      value = `${platform}.${code.digest('base64url').slice(0, MAC_LENGTH)}`;
      ofApplication.set(platform, value);
    }
    return value;
  }

  /** A Set-Cookie value. For as long as the browser is open: how long that is to mean anything, the table says. */
  setCookie(
    application: ApplicationName,
    platform: PlatformName,
    { path, secure }: { readonly path: string; readonly secure: boolean },
  ): string {
    const value = this.value(application, platform);
    return `${AFFINITY_COOKIE}=${value}; Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }
}

/** Takes as long wherever the two differ, so that a code cannot be found byte by byte. */
function equalInTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
