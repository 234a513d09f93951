import { describe, expect, it } from '@jest/globals';
import { authenticate, checkAdminBinding, isLoopback, mayDo } from '../../src/observe/admin-auth.ts';

const open = { host: '127.0.0.1', port: 9901, tokens: {} };
const guarded = {
  ...open,
  tokens: {
    viewer: { token: 'token-of-the-viewer', role: 'read' as const },
    ci: { token: 'token-of-the-ci', role: 'operate' as const },
  },
};

function asks(given: { authorization?: string; host?: string; origin?: string }) {
  return { authorization: undefined, host: '127.0.0.1:9901', origin: undefined, ...given };
}

describe('without tokens', () => {
  it.each(['127.0.0.1:9901', 'localhost:9901', 'LOCALHOST', '[::1]:9901', '127.8.4.2'])(
    'a program that asks %s is taken for one of this machine',
    (host) => {
      expect(authenticate(open, asks({ host }))).toEqual({ name: 'local', role: 'admin' });
    },
  );

  it.each(['evil.example', '127.0.0.1.evil.example', '10.0.0.5:9901', '', '[::2]', 'localhost.evil.example'])(
    'who asks %s is refused: a page may have bound its own name to us',
    (host) => {
      expect(authenticate(open, asks({ host }))).toBeUndefined();
    },
  );

  it('a web page is refused, wherever it comes from', () => {
    expect(authenticate(open, asks({ origin: 'http://localhost:3000' }))).toBeUndefined();
    expect(authenticate(open, asks({ origin: 'null' }))).toBeUndefined();
  });

  it('a missing Host is refused', () => {
    expect(
      authenticate(open, { authorization: undefined, host: undefined, origin: undefined }),
    ).toBeUndefined();
  });

  it('it listens on loopback only', () => {
    expect(() => checkAdminBinding(open)).not.toThrow();
    expect(() => checkAdminBinding({ ...open, host: '0.0.0.0' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    expect(() => checkAdminBinding({ ...guarded, host: '0.0.0.0' })).not.toThrow();
  });
});

describe('with tokens', () => {
  it('whoever has one is known by its name, from anywhere', () => {
    const request = asks({
      authorization: 'Bearer token-of-the-ci',
      host: 'sluice.example',
      origin: 'https://x',
    });
    expect(authenticate(guarded, request)).toEqual({ name: 'ci', role: 'operate' });
  });

  it('the scheme may be written in any case', () => {
    expect(authenticate(guarded, asks({ authorization: 'bearer token-of-the-ci' }))?.name).toBe('ci');
  });

  it.each([
    undefined,
    '',
    'Bearer ',
    'Bearer token-of-the-c',
    'Bearer token-of-the-ci2',
    'Basic token-of-the-ci',
  ])('with %s nobody is', (authorization) => {
    const given = authorization === undefined ? {} : { authorization };
    expect(authenticate(guarded, asks(given))).toBeUndefined();
  });
});

describe('roles', () => {
  it('include those below them', () => {
    const may = (['read', 'operate', 'admin'] as const).map((role) =>
      (['read', 'operate', 'admin'] as const).map((needed) => mayDo({ name: 'x', role }, needed)),
    );
    expect(may).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});

describe('loopback', () => {
  it('is told by address, not by how a name begins', () => {
    expect(isLoopback('127.0.0.1')).toBe(true);
    expect(isLoopback('127.evil.example')).toBe(false);
    expect(isLoopback('0.0.0.0')).toBe(false);
  });
});
