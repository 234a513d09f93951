type Headers = Readonly<Record<string, string>>;

/** What an answer says about how often we may call. */
export interface ApiLimits {
  /** Nobody of this account may call for so long. */
  readonly pauseMs: number | undefined;
  /** Next to nothing is left for so long. */
  readonly scarceMs: number | undefined;
  /** Calls in a whole window; undefined: it does not say. */
  readonly limit: number | undefined;
}

/**
 * Cloud Controller rounds `X-RateLimit-Remaining` down to tenths of the limit, so 0 means: less than a tenth is left,
 * not: nothing. Only a 429 says that.
 */
export function limitsOf(status: number, headers: Headers, now: number): ApiLimits {
  const reset = untilResetMs(headers, now);
  const isLow = headers['x-ratelimit-remaining']?.trim() === '0';
  return {
    pauseMs: status === 429 ? (retryAfterMs(headers, now) ?? reset) : undefined,
    // A 429 says how long to wait; what is left then, the next answer tells.
    scarceMs: isLow && status !== 429 ? reset : undefined,
    limit: countOf(headers['x-ratelimit-limit']),
  };
}

function countOf(value: string | undefined): number | undefined {
  return value !== undefined && /^[1-9]\d*$/.test(value.trim()) ? Number(value) : undefined;
}

/** Delta seconds or an HTTP date (RFC 9110 §10.2.3), in milliseconds from `now`; undefined when absent or broken. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** When the next window begins (`X-RateLimit-Reset`, epoch seconds); undefined when absent or broken. */
export function untilResetMs(headers: Headers, now: number): number | undefined {
  const value = headers['x-ratelimit-reset'];
  if (value === undefined || !/^\d+$/.test(value.trim())) return undefined;
  return Math.max(0, Number(value) * 1000 - now);
}
