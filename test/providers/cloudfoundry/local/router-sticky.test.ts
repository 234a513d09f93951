import { describe, expect, it } from '@jest/globals';
import { stickyCookie, stickyInstance } from '../../../../providers/cloudfoundry/local/router-sticky.ts';

describe('sticky sessions', () => {
  it('need the session and the instance together', () => {
    expect(stickyInstance('JSESSIONID=a; __VCAP_ID__=one')).toBe('one');
    expect(stickyInstance('__VCAP_ID__=one')).toBeUndefined();
    expect(stickyInstance('JSESSIONID=a')).toBeUndefined();
    expect(stickyInstance(undefined)).toBeUndefined();
  });

  it('begin with the application’s session, and are as long and as secure as it', () => {
    expect(
      stickyCookie(['JSESSIONID=a; Path=/shop; Max-Age=60; Secure; SameSite=Strict'], undefined, 'one', ''),
    ).toBe('__VCAP_ID__=one; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict');
    expect(stickyCookie(['other=a'], undefined, 'one', '')).toBeUndefined();
  });

  it('are renewed when another instance took over, and left alone when the application has its own', () => {
    expect(stickyCookie([], 'gone', 'one', '/shop')).toBe('__VCAP_ID__=one; Path=/shop; HttpOnly');
    expect(stickyCookie([], 'one', 'one', '')).toBeUndefined();
    expect(stickyCookie(['JSESSIONID=a', '__VCAP_ID__=mine'], undefined, 'one', '')).toBeUndefined();
  });
});
