import { describe, expect, it } from '@jest/globals';
import { changesBetween, checkChangeable } from '../../src/app/settings-changes.ts';
import { carriedOver, pinned } from '../../src/app/worker-scope.ts';
import { originsSettings } from '../../src/config/inline.ts';
import { SluiceError } from '../../src/core/errors.ts';
import type { GatewaySettings, Settings } from '../../src/core/settings.ts';

const settings = originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]);

function withGateway(more: Partial<GatewaySettings>): Settings {
  return { ...settings, gateway: { ...settings.gateway, ...more } };
}

describe('what changed', () => {
  it('is nothing between equal settings', () => {
    expect(changesBetween(settings, structuredClone(settings))).toEqual([]);
  });

  it('is named as in the file, what came and what went too', () => {
    const other = originsSettings([{ name: 'b', url: 'http://127.0.0.1:1' }]);
    expect(changesBetween(settings, other)).toEqual(['platform a', 'platform b', 'application default']);
    expect(
      changesBetween(
        settings,
        withGateway({ workers: 4, affinityKey: 'k', upstreamTls: { a: { insecureSkipVerify: true } } }),
      ),
    ).toEqual(['gateway.workers', 'gateway.affinity', 'platforms.NAME.upstream']);
  });
});

describe('a running gateway', () => {
  it.each<[string, Settings]>([
    ['gateway.wire', withGateway({ wire: 'compat' })],
    ['gateway.admin.port', withGateway({ admin: { ...settings.gateway.admin, port: 1 } })],
    ['gateway.admin.host', withGateway({ admin: { ...settings.gateway.admin, host: '::1' } })],
    ['state.dir', { ...settings, state: { dir: '/elsewhere' } }],
  ])('refuses another %s', (name, other) => {
    expect(() => checkChangeable(settings, other)).toThrow(SluiceError);
    expect(() => checkChangeable(settings, other)).toThrow(`${name} cannot change while the gateway runs`);
  });

  it('takes other tokens and everything else', () => {
    const tokens = { ci: { token: 'a-token', role: 'read' as const } };
    const other = withGateway({ workers: 9, admin: { ...settings.gateway.admin, tokens } });
    expect(() => checkChangeable(settings, other)).not.toThrow();
  });
});

describe('where workers listen after a change', () => {
  const at = (port: number, host = '127.0.0.1') => ({ host, port });

  it('stays what it was for what is still configured the same', () => {
    const configured = [at(0), at(8080), at(0)];
    const told = pinned(configured, [40_001, 8080, 40_002]);
    expect(carriedOver([at(8080), at(0), at(9090)], { configured, told })).toEqual([
      at(8080),
      at(40_001),
      at(9090),
    ]);
    expect(carriedOver([at(0), at(0), at(0)], { configured, told })).toEqual([at(40_001), at(40_002), at(0)]);
  });

  it('takes new certificates along', () => {
    const tls = [{ cert: 'new', key: 'new' }];
    const configured = [{ ...at(0), tls: [{ cert: 'old', key: 'old' }] }];
    const told = pinned(configured, [40_001]);
    expect(carriedOver([{ ...at(0), tls }], { configured, told })).toEqual([{ ...at(40_001), tls }]);
  });

  it('is another one where the host differs', () => {
    const configured = [at(0)];
    const told = pinned(configured, [40_001]);
    expect(carriedOver([at(0, '::1')], { configured, told })).toEqual([at(0, '::1')]);
  });
});
