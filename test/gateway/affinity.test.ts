import { describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { AffinityCookies } from '../../src/gateway/affinity.ts';
import { seededRandom } from '../../src/lib/random.ts';

const PLATFORMS = new Set(['cf-eu', 'ocp']);
const cookies = (affinityKey?: string, seed = 1): AffinityCookies =>
  new AffinityCookies(
    { ...DEFAULT_GATEWAY, ...(affinityKey === undefined ? {} : { affinityKey }) },
    seededRandom(seed),
  );

describe('affinity cookies', () => {
  const ours = cookies('k'.repeat(32));
  const value = ours.value('shop', 'cf-eu');

  it('name the platform to whoever has the key', () => {
    expect(value).toMatch(/^cf-eu\.[\w-]{22}$/);
    const other = cookies('k'.repeat(32), 2);
    expect(other.platformOf(`a=1; sluice.affinity=${value}`, 'shop', PLATFORMS)).toBe('cf-eu');
    const foreign = cookies('j'.repeat(32));
    expect(foreign.platformOf(`sluice.affinity=${value}`, 'shop', PLATFORMS)).toBeUndefined();
  });

  it.each([
    ['for another application', 'bank', value],
    ['for a platform that is none', 'shop', value.replace('cf-eu', 'cf-us')],
    ['moved to another platform', 'shop', value.replace('cf-eu', 'ocp')],
    ['with a changed code', 'shop', `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`],
    ['cut off', 'shop', value.slice(0, -1)],
    ['without a code', 'shop', 'cf-eu'],
    ['empty', 'shop', ''],
  ])('mean nothing %s', (_what, application, forged) => {
    expect(ours.platformOf(`sluice.affinity=${forged}`, application, PLATFORMS)).toBeUndefined();
  });

  it('are looked through until one is genuine', () => {
    const both = `sluice.affinity=forged; sluice.affinity=${value}`;
    expect(ours.platformOf(both, 'shop', PLATFORMS)).toBe('cf-eu');
  });

  it('are kept from scripts and other sites, and from plain connections where there are better', () => {
    expect(ours.setCookie('shop', 'cf-eu', { path: '/a', secure: true })).toBe(
      `sluice.affinity=${value}; Path=/a; HttpOnly; SameSite=Lax; Secure`,
    );
    expect(ours.setCookie('shop', 'cf-eu', { path: '/', secure: false })).not.toContain('Secure');
  });

  it('are signed with a key of the moment when none is given', () => {
    const made = cookies(undefined, 1).value('shop', 'ocp');
    expect(made).not.toBe(cookies(undefined, 2).value('shop', 'ocp'));
  });
});
