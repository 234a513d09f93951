import { describe, expect, it } from '@jest/globals';
import { schema } from '../../../providers/cloudfoundry/config.ts';

const good = {
  api: 'https://api.cf.example.com',
  org: 'shop',
  space: 'prod',
  domain: 'Apps.CF.example.com',
  credentials: { username: 'u', password: 'p' },
};

describe('options', () => {
  it('take a user or a client', () => {
    expect(schema.parse(good).domain).toBe('apps.cf.example.com');
    schema.parse({
      ...good,
      credentials: { clientId: 'c', clientSecret: 's' },
      router: 'http://127.0.0.1:1',
    });
  });

  it.each([
    ['an unknown key', { ...good, skipTlsVerify: true }],
    ['half of the credentials', { ...good, credentials: { username: 'u' } }],
    ['both kinds of credentials', { ...good, credentials: { ...good.credentials, clientId: 'c' } }],
    ['an address without a scheme', { ...good, api: 'api.cf.example.com' }],
    ['an address with a password, for addresses are printed', { ...good, api: 'https://u:p@cf.example.com' }],
    ['no space', { ...good, space: '' }],
  ])('refuse %s', (_, options) => {
    expect(schema.safeParse(options).success).toBe(false);
  });
});
