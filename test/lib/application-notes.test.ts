import { describe, expect, it } from '@jest/globals';
import type { ApplicationStatus, WritesStatus } from '../../src/core/status.ts';
import { notesOf } from '../../src/lib/application-notes.ts';
import { NOW, platform } from '../dashboards/shop-status.ts';

function texts(over: Partial<ApplicationStatus>): readonly string[] {
  const shop: ApplicationStatus = {
    name: 'shop',
    release: undefined,
    demandRps: 100,
    platforms: [platform('cf', { share: 1 }), platform('rack', { share: 0 })],
    ...over,
  };
  return notesOf(shop, NOW).map(({ tone, text }) => `${tone} ${text}`);
}

describe('the notes on an application', () => {
  it('are none while all is well', () => {
    expect(texts({ coverage: { cf: 1, rack: 1 } })).toEqual([]);
  });

  it('say what the others would carry, of those who would be missed', () => {
    expect(texts({ coverage: { cf: 0.62, rack: 0.2 } })).toEqual([
      'warn if cf dies now, the others carry 62 % of the demand',
    ]);
    expect(texts({ coverage: { cf: 0.62 }, demandRps: 0 })).toEqual([]);
  });

  it('name the routes that are shed, the least important first', () => {
    const common = { host: 'shop.example.com', rps: 10 };
    const routes = [
      { ...common, path: '/pay', priority: 10, shed: 0 },
      { ...common, host: '*', path: '/', priority: 0, shed: 0.4 },
      { ...common, path: '/reports', priority: -5, shed: 1 },
    ];
    expect(texts({ shed: 0.35, routes })).toEqual([
      'bad 35 % of the requests are answered 503: no capacity for them; 100 % of shop.example.com/reports (priority -5), 40 % of / (priority 0)',
    ]);
  });

  it('put what hurts first: shed requests, frozen automation', () => {
    expect(
      texts({
        coverage: { cf: 0 },
        shed: 0.35,
        frozen: { since: NOW, why: '3 automatic failovers within the hour' },
        attribution: [
          {
            ...{ culprit: 'release', platforms: ['cf', 'rack'], since: NOW, summary: 'all fail since r3' },
            ...{ evidence: [], remedy: 'rollback' },
          },
        ],
        intents: [
          { kind: 'propose', what: 'rollback', platform: undefined, reason: 'all fail since r3' },
          { kind: 'freeze-deployments', platform: 'cf', reason: 'its API is away' },
        ],
      }),
    ).toEqual([
      'bad 35 % of the requests are answered 503: no capacity for them',
      'bad automation is frozen since 14:03:22: 3 automatic failovers within the hour; when you have looked: sluice unhold --app shop',
      'warn all fail since r3 (release; rollback)',
      'warn proposed, for you to decide: rollback: all fail since r3',
      'warn no deployment begins on cf until its API answers',
      'warn if cf dies now, the others carry 0 % of the demand',
    ]);
  });

  it('say what a failover would miss of the services', () => {
    const readiness = [
      { name: 'secrets', state: 'failed', detail: 'DB_URL is another than on cf' },
      { name: 'certificate', state: 'failed', detail: 'its certificate has expired' },
    ] as const;
    expect(texts({ platforms: [platform('rack', { share: 0, readiness })] })).toEqual([
      'warn services on rack: DB_URL is another than on cf',
    ]);
  });

  it('say what is tried beside what serves, what it has and what it met', () => {
    const trial = {
      ...{ release: { id: 'r-2', number: 2 }, share: 0.055, rps: 5, errorRate: 0.02, p95Ms: 31 },
      instances: { running: 1, desired: 1 },
    };
    const at = (over: Partial<typeof trial> & { readonly waits?: string }) =>
      texts({ platforms: [platform('rack', { trial: { ...trial, ...over } })] });
    expect(at({})).toEqual([
      'plain rack tries r2 with 5.5 % of all requests (1 of 1 instances): 5 rps, 2.0 % errors, p95 31 ms',
    ]);
    expect(at({ share: 0 })).toEqual(['plain rack tries r2 (1 of 1 instances) without traffic']);
    expect(at({ share: 0, waits: '3 probes failed: refused' })).toEqual([
      'warn rack tries r2 (1 of 1 instances), which gets nothing: 3 probes failed: refused',
    ]);
  });

  it('say how far growing is, what is in its way, and how long it takes', () => {
    const since = NOW - 5_000;
    const at = (scaling: NonNullable<Parameters<typeof platform>[1]>['scaling']) =>
      texts({ platforms: [platform('rack', { timeToCapacityMs: 23_400, ...(scaling ? { scaling } : {}) })] });
    expect(at({ to: 4, state: 'growing', since })).toEqual([
      'warn rack goes to 4 instances, ordered 5.0 s ago, 2 serve',
      'plain time to capacity, as last measured: rack 23 s',
    ]);
    expect(at({ to: 4, state: 'waiting', since, why: 'somebody deploys' })[0]).toBe(
      'warn rack is to go to 4 instances and waits: somebody deploys',
    );
    expect(at({ to: 4, state: 'refused', since, why: 'no memory left' })[0]).toBe(
      'bad rack cannot go to 4 instances: no memory left',
    );
  });

  it.each<[WritesStatus, string]>([
    [{ kind: 'none' }, 'plain writes are refused everywhere'],
    [{ kind: 'single', writer: 'cf', epoch: 3 }, 'plain cf takes the writes, epoch 3'],
    [
      { kind: 'single', writer: undefined, epoch: 4, next: 'rack' },
      'bad nobody takes writes: the promotion of rack (epoch 4) is under way',
    ],
    [
      {
        ...{ kind: 'single', writer: undefined, epoch: 4, next: 'rack' },
        promotion: { state: 'failed', since: NOW, why: 'exited with 3', remedy: 'order another try' },
      },
      'bad nobody takes writes: the promotion of rack (epoch 4) failed: exited with 3; order another try',
    ],
  ])('say who takes the writes: %j', (writes, text) => {
    expect(texts({ writes })).toEqual([text]);
  });
});
