import { describe, expect, it } from '@jest/globals';
import { DEFAULT_DRIFT } from '../../src/core/drift.ts';
import type { Observation, PlanChange, TargetSpec } from '../../src/core/provider.ts';
import { driftOf, leavingTheirs, ownerOf } from '../../src/orchestrator/drift-fields.ts';

const SEEN: Observation = {
  ...{ at: 0, apiLatencyMs: 1, exists: true, serving: 'r-1', desired: 5, origins: [], foreign: [] },
  releases: [{ id: 'r-1', state: 'running' }],
  instances: [{ id: '0', release: 'r-1', state: 'running', routable: true }],
  env: { LOG: 'debug', SLUICE_RELEASE: 'r-0', MINE: 'theirs' },
};
const WANT: TargetSpec = {
  ...{ application: 'shop', platform: 'rack', hosts: [], health: { path: '/', startTimeoutMs: 1 } },
  release: { id: 'r-1', number: 1, application: 'shop', sourceDigest: 's', configHash: 'c', createdAt: 0 },
  process: { command: 'run', instances: 2, memoryBytes: 1 },
  env: { LOG: 'info', SLUICE_RELEASE: 'r-1' },
};
const changed = (field: string, more: Partial<PlanChange> = {}): PlanChange => ({
  ...{ action: 'change', field, from: 'a', to: 'b', destructive: false },
  ...more,
});

describe('what is drift', () => {
  it('is every field that differs and is ours, and what is foreign, whoever says so', () => {
    const plan = [
      changed('memory'),
      changed('env.LOG'),
      changed('command', { action: 'none' }),
      changed('Route shop', { action: 'foreign' }),
    ];
    const drift = driftOf(plan, { ...SEEN, foreign: ['Service shop'] });
    expect(drift.fields.map(({ field }) => field)).toEqual(['memory', 'env.LOG']);
    expect(drift.foreign).toEqual(['Service shop', 'Route shop']);
  });

  it('is nothing that somebody else keeps or that was only set once', () => {
    const settings = { ...DEFAULT_DRIFT, ignore: ['instances', 'routes'], seed: ['env.*'] };
    const plan = [changed('instances'), changed('route shop.example.com'), changed('env.LOG')];
    expect(driftOf(plan, SEEN, settings).fields).toEqual([]);
    expect(ownerOf('env.LOG', settings)).toBe('seeded');
    expect(ownerOf('environment', settings)).toBe('us');
    expect(ownerOf('start timeout', { ...settings, ignore: ['startTimeout'] })).toBe('ignored');
  });

  it('is no release whose instances are down, but one that somebody else runs there instead', () => {
    const down: Observation = { ...SEEN, serving: undefined, instances: [] };
    const plan = [{ action: 'change', field: 'release', to: 'r-1', destructive: false } as const];
    expect(driftOf(plan, down).fields).toEqual([]);
    const restaged: Observation = {
      ...SEEN,
      serving: undefined,
      instances: [{ id: '0', release: undefined, state: 'running', routable: true }],
    };
    expect(driftOf(plan, restaged).fields).toEqual([{ field: 'release', to: 'r-1' }]);
    expect(driftOf(plan, { ...down, releases: [] }).fields).toEqual([{ field: 'release', to: 'r-1' }]);
  });
});

describe('what others keep', () => {
  it('is written as it is there, our stamps excepted', () => {
    const settings = { ...DEFAULT_DRIFT, ignore: ['instances'], seed: ['env.*'] };
    const kept = leavingTheirs(WANT, SEEN, settings);
    expect(kept.process.instances).toBe(5);
    expect(kept.env).toEqual({ LOG: 'debug', MINE: 'theirs', SLUICE_RELEASE: 'r-1' });
  });

  it('is ours where nothing is yet, and where nobody said otherwise', () => {
    const settings = { ...DEFAULT_DRIFT, ignore: ['instances'], seed: ['env.*'] };
    expect(leavingTheirs(WANT, { ...SEEN, exists: false, env: {} }, settings)).toEqual(WANT);
    expect(leavingTheirs(WANT, SEEN)).toEqual(WANT);
    expect(leavingTheirs(WANT, { ...SEEN, desired: 0 }, settings).process.instances).toBe(2);
  });
});
