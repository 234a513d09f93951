import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { imageShelf } from '../../src/lib/image-shelf.ts';

const DIGEST = `sha256:${'b'.repeat(64)}`;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  await mkdir(join(dir, 'quay.io/team', `shop@${DIGEST}`), { recursive: true });
  await mkdir(join(dir, 'docker.io', 'web:latest'), { recursive: true });
  await writeFile(join(dir, 'quay.io/credentials.json'), '{"username":"me","password":"planted-canary"}');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('finds an image by its whole name, for those who may have it', () => {
  const find = imageShelf(dir);
  const shop = `quay.io/team/shop@${DIGEST}`;
  const me = { username: 'me', password: 'planted-canary' };
  expect(find(shop, me)).toEqual({ state: 'found', folder: join(dir, 'quay.io/team', `shop@${DIGEST}`) });
  expect(find(shop)).toEqual({ state: 'unauthorized' });
  expect(find(shop, { ...me, password: 'other' })).toEqual({ state: 'unauthorized' });
  expect(find('web')).toMatchObject({ state: 'found' });
});

it('has nothing else, and reads nothing outside its folder', () => {
  const find = imageShelf(join(dir, 'docker.io'));
  expect(find(`web@${DIGEST}`)).toEqual({ state: 'notFound' });
  expect(find(`../quay.io/team/shop@${DIGEST}`)).toEqual({ state: 'notFound' });
  expect(imageShelf(undefined)('web')).toEqual({ state: 'notFound' });
});
