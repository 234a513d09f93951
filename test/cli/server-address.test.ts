import { describe, expect, it } from '@jest/globals';
import { adminUrlOf, tokenFor } from '../../src/cli/server-address.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { AdminSettings, Settings } from '../../src/core/settings.ts';

function settings(admin: Partial<AdminSettings>): Settings {
  const read = originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]);
  return { ...read, gateway: { ...read.gateway, admin: { ...read.gateway.admin, ...admin } } };
}

describe('where our own server answers', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:9901'],
    ['0.0.0.0', 'http://127.0.0.1:9901'],
    ['::', 'http://127.0.0.1:9901'],
    ['::1', 'http://[::1]:9901'],
    ['10.0.0.5', 'http://10.0.0.5:9901'],
  ])('%s is asked at %s', (host, url) => {
    expect(adminUrlOf(settings({ host }))).toBe(url);
  });
});

describe('the token to show', () => {
  const tokens = {
    viewer: { token: 'of-viewer', role: 'read' },
    ci: { token: 'of-ci', role: 'operate' },
    root: { token: 'of-root', role: 'admin' },
  } as const;
  const ours = settings({ host: '10.0.0.5', tokens });

  it('is the given one, to anybody', () => {
    expect(tokenFor(ours, 'http://elsewhere.example', 'given')).toBe('given');
    expect(tokenFor(ours, undefined, 'given')).toBe('given');
  });

  it('else our strongest, to our own server and to this machine', () => {
    expect(tokenFor(ours, undefined, undefined)).toBe('of-root');
    expect(tokenFor(ours, 'http://10.0.0.5:9901/', undefined)).toBe('of-root');
    expect(tokenFor(ours, 'http://127.0.0.1:4711', undefined)).toBe('of-root');
    const { ci, viewer } = tokens;
    expect(tokenFor(settings({ tokens: { viewer, ci } }), undefined, undefined)).toBe('of-ci');
    expect(tokenFor(settings({ tokens: { viewer } }), undefined, undefined)).toBeUndefined();
  });

  it('is none for a stranger: our secrets are not theirs', () => {
    expect(tokenFor(ours, 'http://elsewhere.example:9901', undefined)).toBeUndefined();
    expect(tokenFor(ours, 'http://10.0.0.5:9902', undefined)).toBeUndefined();
    expect(tokenFor(ours, 'nonsense', undefined)).toBeUndefined();
  });
});
