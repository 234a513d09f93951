import { describe, expect, it } from '@jest/globals';
import { connectionOptions } from '../../src/gateway/headers.ts';
import { hostname, rewriteCookieDomain, rewriteLocation } from '../../src/gateway/public-host.ts';

describe('heads', () => {
  it('refuses Connection options that would hide end-to-end fields from the next hop', () => {
    expect(connectionOptions('close, X-Mine')).toEqual(['close', 'x-mine']);
    for (const name of ['host', 'Authorization', 'content-length', 'X-Forwarded-For', 'cookie']) {
      expect(connectionOptions(`keep-alive, ${name}`)).toBeUndefined();
    }
  });

  it('rewrites only locations on the platform host', () => {
    const rewrite = (value: string): string => rewriteLocation(value, 'shop.cf.test', 'www.example', 'https');
    expect(rewrite('http://SHOP.cf.test/a?b#c')).toBe('https://www.example/a?b#c');
    expect(rewrite('//shop.cf.test')).toBe('https://www.example');
    expect(rewrite('/relative')).toBe('/relative');
    expect(rewrite('https://login.example/x?back=http://shop.cf.test/')).toBe(
      'https://login.example/x?back=http://shop.cf.test/',
    );
  });

  it('rewrites cookie domains that cover the platform host', () => {
    const rewrite = (value: string): string => rewriteCookieDomain(value, 'shop.cf.test', 'www.example:8443');
    expect(rewrite('a=1; Domain=.cf.test; Path=/')).toBe('a=1; Domain=www.example; Path=/');
    expect(rewrite('a=1; domain=shop.cf.test')).toBe('a=1; Domain=www.example');
    expect(rewrite('a=1; Domain=other.test')).toBe('a=1; Domain=other.test');
    expect(rewrite('a=domain=x')).toBe('a=domain=x');
  });

  it('takes the port off an authority', () => {
    expect([hostname('a:1'), hostname('a'), hostname('[::1]:8080')]).toEqual(['a', 'a', '[::1]']);
  });
});
