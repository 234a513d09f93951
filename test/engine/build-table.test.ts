import { describe, expect, it } from '@jest/globals';
import type { Decision, TargetDecision } from '../../src/core/decision.ts';
import type { TableRoute } from '../../src/core/routing-table.ts';
import { frozen, inMatchingOrder, routesOf } from '../../src/engine/build-table.ts';
import type { EngineTarget } from '../../src/engine/targets.ts';
import { application, target } from '../support/scenario.ts';

function route(host: string, path: string): TableRoute {
  return { application: 'shop', host, path, publicHost: 'map', retry: 'safe', targets: [] };
}

function decision(targets: Readonly<Record<string, TargetDecision>>): Decision {
  const shares = Object.fromEntries(Object.entries(targets).map(([name, { share }]) => [name, share]));
  return {
    application: 'shop',
    at: 0,
    shares,
    targets,
    mode: 'normal',
    summary: '',
    reasons: [],
    proof: () => [],
  };
}

function group(platform: string, release: string | undefined, ...ports: number[]): EngineTarget {
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  return { platform, release, pinned: release !== undefined, hostHeader: undefined, sni: undefined, urls };
}

describe('routes', () => {
  it('stand in the order in which they are to be matched', () => {
    const routes = [
      route('*', '/api'),
      route('b.test', '/'),
      route('*', '/'),
      route('a.test', '/'),
      route('a.test', '/api'),
    ];
    expect(inMatchingOrder(routes).map(({ host, path }) => host + path)).toEqual([
      'a.test/api',
      'a.test/',
      'b.test/',
      '*/api',
      '*/',
    ]);
  });

  it('offer targets by state, then by tier, and leave out those that are off', () => {
    const settings = application([
      target({ platform: 'off' }),
      target({ platform: 'down' }),
      target({ platform: 'far', tier: 3 }),
      target({ platform: 'near', tier: 2 }),
      target({ platform: 'active', tier: 4 }),
    ]);
    const [only] = routesOf({
      settings,
      decision: decision({
        off: { share: 0, state: 'off', origins: ['off/127.0.0.1:1'] },
        down: { share: 0, state: 'draining', origins: ['down/127.0.0.1:2'] },
        far: { share: 0, state: 'spare', origins: ['far/127.0.0.1:3'] },
        near: { share: 0, state: 'spare', origins: ['near/127.0.0.1:4'] },
        active: { share: 1, state: 'active', origins: ['active/127.0.0.1:5'] },
      }),
      targets: ['off', 'down', 'far', 'near', 'active'].map((name, i) => group(name, undefined, i + 1)),
    });
    expect(only?.targets.map(({ platform }) => platform)).toEqual(['active', 'near', 'far', 'down']);
  });

  it('keep the part of a release that was tried when its instances become some of the platform’s own', () => {
    const settings = application([target({ platform: 'rack' })]);
    const targets = [group('rack', 'r-1', 1), group('rack', 'r-2', 2)];
    const parts = (part: number, ...ports: number[]) => {
      const origins = ports.map((port) => `rack/127.0.0.1:${port}`);
      const [only] = routesOf({
        settings,
        decision: decision({ rack: { share: 0.5, state: 'active', origins } }),
        targets,
        split: { release: 'r-2', part, trials: new Map() },
      });
      return only?.targets.map(({ release, share }) => [release, Math.round(share * 1000) / 1000]);
    };
    expect(parts(1, 1, 2)).toEqual([
      ['r-2', 0.5],
      ['r-1', 0],
    ]);
    expect(parts(0.2, 1, 2)).toEqual([
      ['r-2', 0.1],
      ['r-1', 0.4],
    ]);
    // It has not answered yet: what there is serves all.
    expect(parts(1, 1)).toEqual([['r-1', 0.5]]);
  });

  it('split a share over two releases of a platform by their usable origins', () => {
    const settings = application([target({ platform: 'rack' })]);
    const origins = ['rack/127.0.0.1:1', 'rack/127.0.0.1:2', 'rack/127.0.0.1:3'];
    const [only] = routesOf({
      settings,
      decision: decision({ rack: { share: 0.6, state: 'active', origins } }),
      targets: [group('rack', 'r-1', 1, 2, 9), group('rack', 'r-2', 3), group('rack', 'r-3', 8)],
    });
    expect(only?.targets.map(({ release, share }) => [release, Math.round(share * 1000)])).toEqual([
      ['r-1', 400],
      ['r-2', 200],
    ]);
  });
});

describe('a frozen table', () => {
  it('cannot be edited anywhere', () => {
    const table = frozen({ version: 1, publishedAt: 0, routes: [route('*', '/')] });
    expect(Object.isFrozen(table.routes[0])).toBe(true);
    expect(() => Object.assign(table.routes[0] ?? {}, { host: 'x' })).toThrow(TypeError);
  });
});
