import { describe, expect, it } from '@jest/globals';
import { limitsOf, retryAfterMs } from '../../src/lib/rate-headers.ts';

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
    ['soon', undefined],
  ])('%s is %s ms', (value, expected) => {
    expect(retryAfterMs({ 'retry-after': value }, 1_000)).toBe(expected);
  });
});

describe('what an answer says of limits', () => {
  const reset = { 'x-ratelimit-reset': '60' };

  it.each([
    ['nothing', 200, {}, { pauseMs: undefined, scarceMs: undefined }],
    [
      'plenty left',
      200,
      { ...reset, 'x-ratelimit-remaining': '18000' },
      { pauseMs: undefined, scarceMs: undefined },
    ],
    [
      'less than a tenth left',
      200,
      { ...reset, 'x-ratelimit-remaining': '0' },
      { pauseMs: undefined, scarceMs: 50_000 },
    ],
    ['no more, for so long', 429, { 'retry-after': '2' }, { pauseMs: 2_000, scarceMs: undefined }],
    [
      'no more for a moment, whatever it says of the window',
      429,
      { ...reset, 'x-ratelimit-remaining': '0', 'retry-after': '1' },
      { pauseMs: 1_000, scarceMs: undefined },
    ],
    ['no more, until the window ends', 429, reset, { pauseMs: 50_000, scarceMs: undefined }],
    ['no more', 429, {}, { pauseMs: undefined, scarceMs: undefined }],
    ['nonsense', 429, { 'x-ratelimit-reset': 'later' }, { pauseMs: undefined, scarceMs: undefined }],
  ])('%s', (_what, status, headers, expected) => {
    expect(limitsOf(status, headers, 10_000)).toEqual(expected);
  });
});
