import { describe, expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

const file = (keys: string): string => `version: 1
platforms: { rack: { provider: selfhosted, driver: process } }
applications:
  shop:
    command: run
    ${keys}
    targets: { rack: {} }
`;
const sourceOf = (keys: string) => loadText(file(keys)).settings?.applications['shop']?.source;

describe('an application that is a commit', () => {
  it('is of the repository that its source lies in', () => {
    expect(sourceOf('source: ../shop\n    git: v1.2')).toEqual({
      kind: 'git',
      repository: '/etc/shop',
      remote: false,
      ref: 'v1.2',
      path: undefined,
    });
  });

  it('or of one that is named, with the folder in it', () => {
    expect(
      sourceOf('git: { repository: "https://git.example.com/all.git", ref: main, path: ./apps/shop/ }'),
    ).toEqual({
      kind: 'git',
      repository: 'https://git.example.com/all.git',
      remote: true,
      ref: 'main',
      path: 'apps/shop',
    });
    expect(sourceOf('git: { repository: "git@example.com:all.git", ref: main }')).toMatchObject({
      remote: true,
    });
    expect(sourceOf('git: { repository: ../all, ref: main }')).toMatchObject({
      repository: '/etc/all',
      remote: false,
    });
  });

  it.each([
    ['git: main', /no repository.*add `source:`/],
    ['source: .\n    git: --upload-pack=evil', /not a branch, tag or commit/],
    ['source: .\n    git: "a:b"', /not a branch, tag or commit/],
    ['source: .\n    git: "a..b"', /not a branch, tag or commit/],
    ['git: { repository: "ext::sh -c evil", ref: main }', /repository/],
    ['git: { repository: "-u", ref: main }', /not a repository/],
    ['git: { repository: ../all, ref: main, path: ../out }', /not a folder inside a repository/],
    ['source: .\n    git: { repository: ../all, ref: main }', /two places/],
    ['source: https://git.example.com/shop.git', /an address and no file.*git: \{ repository/],
    [`image: shop@sha256:${'a'.repeat(64)}\n    git: main`, /files already/],
  ])('%s is refused', (keys, why) => {
    const faults = faultsOf(file(keys)).filter((one) => one.includes(' error '));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).toMatch(why);
  });
});
