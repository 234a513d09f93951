import { describe, expect, it } from '@jest/globals';
import { normalPath } from '../../src/gateway/normal-path.ts';

describe('normalPath', () => {
  it.each([
    ['/shop/../admin', '/admin'],
    ['/shop/%2e%2E/admin', '/admin'],
    ['/shop/..%2fadmin', '/admin'],
    ['/shop/..\\admin', '/admin'],
    ['/shop/%5c../admin', '/admin'],
    ['/%61dmin', '/admin'],
    ['//admin', '/admin'],
    ['/./admin/.', '/admin/'],
    ['/shop/..;/admin', '/admin'],
    ['/admin;v=1/x', '/admin/x'],
    ['/../../admin', '/admin'],
    ['/%2561dmin', '/%61dmin'],
    ['/a/..', '/'],
    ['/%zz', '/%zz'],
  ])('reads %s as %s', (target, path) => {
    expect(normalPath(target)).toBe(path);
    expect(normalPath(`${target}?q=/../x`)).toBe(path);
  });

  it.each(['/', '/shop/1', '/shop?next=/../admin', '*', '/a.b/c..d'])(
    'has nothing to say about %s',
    (target) => {
      expect(normalPath(target)).toBeUndefined();
    },
  );
});
