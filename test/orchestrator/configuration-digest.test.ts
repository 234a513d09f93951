import { describe, expect, it } from '@jest/globals';
import { originsSettings } from '../../src/config/inline.ts';
import { configurationDigest } from '../../src/orchestrator/configuration-digest.ts';

const [BASE] = Object.values(originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]).applications);
const SHOP = { ...BASE!, env: { LOG: 'info', KEY: 'secret-1' }, secretEnv: ['KEY'] };

describe('the digest of a configuration', () => {
  it('is the same whatever the secrets are', () => {
    const other = { ...SHOP, env: { LOG: 'info', KEY: 'secret-2' } };
    expect(configurationDigest(other)).toBe(configurationDigest(SHOP));
  });

  it.each([
    ['the command', { process: { ...SHOP.process, command: 'node other.js' } }],
    ['an open value', { env: { LOG: 'debug', KEY: 'secret-1' } }],
    ['a variable more', { env: { ...SHOP.env, MORE: '1' } }],
    ['instances', { targets: SHOP.targets.map((target) => ({ ...target, instances: 9 })) }],
    ['the health path', { health: { ...SHOP.health, path: '/other' } }],
  ])('differs with %s', (_what, change) => {
    expect(configurationDigest({ ...SHOP, ...change })).not.toBe(configurationDigest(SHOP));
  });
});
