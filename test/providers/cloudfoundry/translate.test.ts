import { describe, expect, it } from '@jest/globals';
import {
  desiredInstances,
  dropletOfProcess,
  dropletRelease,
  instanceState,
  originsOf,
  RELEASE,
  routeHost,
  trialName,
  wantedProcess,
  wantedRoutes,
} from '../../../providers/cloudfoundry/translate.ts';
import type { App, Deployment, Process, Route } from '../../../providers/cloudfoundry/wire.ts';
import { sampleTarget } from '../../support/sample-app.ts';

const domains = [
  { guid: 'd-apps', name: 'apps.cf.example.com' },
  { guid: 'd-shop', name: 'shop.example.com' },
  { guid: 'd-example', name: 'example.com' },
  { guid: 'd-internal', name: 'apps.internal', internal: true },
];

function web(guid: string, instances: number): Process {
  return { guid, type: 'web', instances, memory_in_mb: 64, health_check: { type: 'port' } };
}

const active: Deployment = {
  guid: 'dep',
  status: { value: 'ACTIVE', reason: 'DEPLOYING' },
  options: { max_in_flight: 2 },
  droplet: { guid: 'new' },
  previous_droplet: { guid: 'old' },
  new_processes: [{ guid: 'p2', type: 'web' }],
};

const app: App = {
  guid: 'a',
  name: 'shop',
  state: 'STARTED',
  relationships: { current_droplet: { data: { guid: 'new' } } },
};

describe('routes', () => {
  it('are the default one and those whose domain the platform has', () => {
    const { routes, unknown } = wantedRoutes(
      { application: 'shop', hosts: ['www.shop.example.com', 'shop.example.com', 'shop.other.org', '*'] },
      'apps.cf.example.com',
      domains,
    );
    expect(routes).toEqual([
      { url: 'shop.apps.cf.example.com', domainGuid: 'd-apps', host: 'shop' },
      { url: 'www.shop.example.com', domainGuid: 'd-shop', host: 'www' },
      { url: 'shop.example.com', domainGuid: 'd-shop', host: undefined },
    ]);
    expect(unknown).toEqual(['shop.other.org']);
  });

  it('have a host of one label and never an internal domain', () => {
    const want = { application: 'shop', hosts: ['a.b.example.com', 'x.apps.internal'] };
    const { routes, unknown } = wantedRoutes(want, 'example.com', domains);
    expect(routes.map((route) => route.url)).toEqual(['shop.example.com']);
    expect(unknown).toEqual(['a.b.example.com', 'x.apps.internal']);
  });

  it('give one origin: the default host behind the router', () => {
    const routes: Route[] = ['www.shop.example.com', 'shop.apps.cf.example.com'].map((url) => ({
      guid: url,
      url,
      destinations: [],
    }));
    const domain = 'apps.cf.example.com';
    expect(originsOf('shop', { domain }, routes)).toEqual([
      {
        url: 'https://shop.apps.cf.example.com',
        hostHeader: 'shop.apps.cf.example.com',
        sni: 'shop.apps.cf.example.com',
      },
    ]);
    expect(originsOf('shop', { domain, router: 'http://127.0.0.1:8000/' }, routes)).toEqual([
      { url: 'http://127.0.0.1:8000', hostHeader: 'shop.apps.cf.example.com' },
    ]);
    expect(originsOf('shop', { domain }, [])).toEqual([]);
  });
});

describe('the name of what is tried', () => {
  it('fits a host name’s label, and still tells the release', () => {
    expect(trialName('shop', 'r-0123456789')).toBe('shop--r-0123456789');
    const long = trialName(`${'a'.repeat(48)}_${'b'.repeat(40)}`, 'r-0123456789');
    expect(long).toBe(`${'a'.repeat(48)}--r-0123456789`);
    expect(routeHost(trialName('a'.repeat(99), 'r-0123456789'), 'apps.test').split('.')[0]).toHaveLength(63);
  });
});

describe('processes', () => {
  it('run the droplet of the deployment they belong to', () => {
    expect(dropletOfProcess(app, { guid: 'p1' }, active)).toBe('old');
    expect(dropletOfProcess(app, { guid: 'p2' }, active)).toBe('new');
    expect(dropletOfProcess(app, { guid: 'p2' }, undefined)).toBe('new');
  });

  it('count as wanted without the overlap of a deployment', () => {
    expect(desiredInstances([web('p1', 4), web('p2', 2)], active)).toBe(4);
    expect(desiredInstances([web('p1', 4)], undefined)).toBe(4);
    const sized = { ...active, options: { max_in_flight: 2, web_instances: 7 } };
    expect(desiredInstances([web('p1', 4), web('p2', 2)], sized)).toBe(7);
  });

  it('are wanted in whole mebibytes and seconds, within what foundations allow', () => {
    const want = sampleTarget({ application: 'shop', platform: 'cf', number: 1, startTimeoutMs: 1_001 });
    expect(wantedProcess(want)).toEqual({
      command: 'node server.js',
      memoryMb: 64,
      check: { type: 'http', endpoint: '/healthz', timeout: 2 },
    });
    const patient = { ...want, health: { path: undefined, startTimeoutMs: 3_600_000 } };
    expect(wantedProcess(patient).check).toEqual({ type: 'port', endpoint: null, timeout: 180 });
  });

  it('have instances in states we know, and unknown ones are unknown', () => {
    expect(['RUNNING', 'STARTING', 'DOWN', 'CRASHED', 'NEW_WORD'].map(instanceState)).toEqual([
      'running',
      'starting',
      'pending',
      'crashed',
      'unknown',
    ]);
  });
});

describe('droplets', () => {
  it('belong to the release of their package when they carry no stamp', () => {
    const packages = [{ guid: 'pkg', state: 'READY' as const, metadata: { labels: { [RELEASE]: 'r-1' } } }];
    const links = { package: { href: 'https://api.example.org/v3/packages/pkg' } };
    expect(dropletRelease({ guid: 'd', state: 'STAGED', links }, packages)).toBe('r-1');
    const metadata = { labels: { [RELEASE]: 'r-2' } };
    expect(dropletRelease({ guid: 'd', state: 'STAGED', links, metadata }, packages)).toBe('r-2');
    expect(dropletRelease({ guid: 'd', state: 'STAGED' }, packages)).toBeUndefined();
  });
});
