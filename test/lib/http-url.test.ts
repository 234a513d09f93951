import { describe, expect, it } from '@jest/globals';
import { httpUrl } from '../../src/lib/http-url.ts';

describe('the address of a platform', () => {
  it.each(['http://127.0.0.1:8080', 'https://api.example.com/path?at=@x'])('is %s', (url) => {
    expect(httpUrl.safeParse(url).success).toBe(true);
  });

  it.each(['api.example.com', 'ftp://example.com', 'https://user@example.com', 'https://u:p@example.com'])(
    'is not %s',
    (url) => {
      expect(httpUrl.safeParse(url).success).toBe(false);
    },
  );

  it('is refused without repeating the password that was put into it', () => {
    expect(String(httpUrl.safeParse('https://u:hunter2@example.com').error)).not.toContain('hunter2');
  });
});
