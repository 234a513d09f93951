import { describe, expect, it } from '@jest/globals';
import { originsSettings, parseOrigin } from '../../src/config/inline.ts';
import { presetPolicy } from '../../src/config/preset-policy.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { SluiceError } from '../../src/core/errors.ts';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import { loadText, PROVIDERS } from './support.ts';

const TWO = [
  { name: 'a', url: 'http://127.0.0.1:8081' },
  { name: 'b', url: 'https://b.example.com/' },
];

describe('settings from origins alone', () => {
  it('are one application for every host over static platforms of equal rank', () => {
    const settings = originsSettings(TWO, { cwd: '/srv' });
    expect(settings.file).toBeUndefined();
    expect(settings.platforms).toEqual({
      a: { name: 'a', provider: 'static', options: { origins: ['http://127.0.0.1:8081'] } },
      b: { name: 'b', provider: 'static', options: { origins: ['https://b.example.com'] } },
    });
    const application = settings.applications['default'];
    expect(application?.routes).toEqual([{ host: '*', path: '/', publicHost: 'rewrite', retry: 'safe' }]);
    expect(application?.targets.map(({ platform, tier, weight }) => [platform, tier, weight])).toEqual([
      ['a', 1, 1],
      ['b', 1, 1],
    ]);
    expect(application?.health).toMatchObject({ path: '/', status: { from: 100, to: 499 } });
    expect(settings.gateway).toEqual(DEFAULT_GATEWAY);
    expect(settings.state.dir).toBe('/srv/.sluice');
  });

  it('have the shape a file would have given', () => {
    const fromFile = loadText(`version: 1
platforms:
  a: { provider: static, origins: ["http://127.0.0.1:8081"] }
  b: { provider: static, origins: ["https://b.example.com"] }
applications:
  default: { health: { status: 100-499 }, targets: { a: , b: } }
`).settings;
    const { file: _file, state: _state, ...inline } = originsSettings(TWO);
    expect(fromFile).toMatchObject(inline);
    for (const { options } of Object.values(inline.platforms)) {
      expect(PROVIDERS['static']?.schema.safeParse(options).success).toBe(true);
    }
  });

  it('put several URLs of one name on one platform', () => {
    const settings = originsSettings([...TWO, { name: 'a', url: 'http://127.0.0.1:8082' }]);
    expect(settings.platforms['a']?.options).toEqual({
      origins: ['http://127.0.0.1:8081', 'http://127.0.0.1:8082'],
    });
  });

  it('take the policy of a preset', () => {
    expect(originsSettings(TWO, { policy: 'demo' }).applications['default']?.policy).toEqual(
      presetPolicy('demo', packagePresets()),
    );
  });

  it.each([
    [() => originsSettings([]), 'no origin is given'],
    [() => originsSettings([{ name: 'A', url: 'http://x' }]), 'A cannot name an origin'],
    [() => originsSettings([{ name: 'a', url: 'x:1' }]), 'the origin a has no valid URL'],
    [() => originsSettings([{ name: 'a', url: 'http://x/path' }]), 'more than scheme, host and port'],
    [() => originsSettings([{ name: 'a', url: 'http://u:p@x' }]), 'more than scheme, host and port'],
    [() => originsSettings(TWO, { policy: 'dmo' }), 'no preset is called dmo'],
    [() => parseOrigin('http://x'), 'has no name'],
  ])('refuse what cannot be meant (%#)', (act, message) => {
    expect(act).toThrow(SluiceError);
    expect(act).toThrow(message);
  });

  it('read the flag as NAME=URL, and a URL may hold = itself', () => {
    expect(parseOrigin('a=http://x:1')).toEqual({ name: 'a', url: 'http://x:1' });
  });
});
