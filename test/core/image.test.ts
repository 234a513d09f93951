import { describe, expect, it } from '@jest/globals';
import { imageDigest, parseImage, registryKey } from '../../src/core/image.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  it.each([
    ['shop', { name: 'shop', host: undefined, tag: undefined, digest: undefined }],
    ['shop:1.2', { name: 'shop', host: undefined, tag: '1.2', digest: undefined }],
    [`team/shop@${DIGEST}`, { name: 'team/shop', host: undefined, tag: undefined, digest: DIGEST }],
    [
      `registry.example.com:5000/team/shop:1@${DIGEST}`,
      {
        name: 'registry.example.com:5000/team/shop',
        host: 'registry.example.com:5000',
        tag: '1',
        digest: DIGEST,
      },
    ],
    ['localhost/shop', { name: 'localhost/shop', host: 'localhost', tag: undefined, digest: undefined }],
  ])('%s', (reference, parsed) => {
    expect(parseImage(reference)).toEqual(parsed);
  });

  it.each(['', 'Shop', 'a/../b', '../shop', '/shop', 'shop@sha256:1', 'shop:', 'a b', `-shop@${DIGEST}`])(
    'is not %j',
    (reference) => {
      expect(parseImage(reference)).toBeUndefined();
    },
  );

  it('tells its digest, and under which name clients keep credentials for its registry', () => {
    expect(imageDigest({ reference: `team/shop@${DIGEST}` })).toBe(DIGEST);
    expect(registryKey({ reference: `quay.io/team/shop@${DIGEST}` })).toBe('quay.io');
    expect(registryKey({ reference: `team/shop@${DIGEST}` })).toBe('https://index.docker.io/v1/');
  });
});
