import { describe, expect, it } from '@jest/globals';
import { planChanges } from '../../../providers/selfhosted/plan.ts';
import {
  applyStatus,
  observationOf,
  scaleStatus,
  servingRelease,
} from '../../../providers/selfhosted/translate.ts';
import type { HostInstance, HostRelease } from '../../../providers/selfhosted/wire.ts';
import { sampleTarget } from '../../support/sample-app.ts';

const OLD = 'r-0000000001';
const NEW = 'r-0000000002';

function instance(id: string, state: HostInstance['state'], more: Partial<HostInstance> = {}): HostInstance {
  return {
    id,
    state,
    port: 20_001,
    restarts: 0,
    since: 0,
    reason: null,
    cpu: null,
    memoryBytes: null,
    ...more,
  };
}

function release(id: string, phase: HostRelease['phase'], more: Partial<HostRelease> = {}): HostRelease {
  return {
    id,
    phase,
    trial: false,
    digest: 'sha256:x',
    wanted: 0,
    since: 0,
    env: {},
    failure: null,
    instances: [],
    ...more,
  };
}

const old = release(OLD, 'running', {
  wanted: 1,
  since: 100,
  env: { COLOUR: 'blue' },
  instances: [instance('shop/old/0', 'running', { cpu: 0.5, memoryBytes: 1_000 })],
});

function observe(...releases: HostRelease[]) {
  return observationOf({ releases }, { at: 7, apiLatencyMs: 1 });
}

describe('self-hosted words', () => {
  it('keep what is tried apart: it serves for nobody, however late it became ready', () => {
    const tried = release(NEW, 'running', {
      ...{ trial: true, wanted: 1, since: 900, env: { COLOUR: 'green' } },
      instances: [instance('shop/new/0', 'running', { port: 20_002 })],
    });
    const seen = observe(old, tried);
    expect(seen).toMatchObject({ serving: OLD, desired: 1, env: { COLOUR: 'blue' } });
    expect(seen.instances.map(({ id }) => id)).toEqual(['shop/old/0']);
    expect(seen.releases).toContainEqual({ id: NEW, state: 'staged' });
    expect(seen.trial).toMatchObject({ release: NEW, desired: 1, instances: [{ id: 'shop/new/0' }] });
    expect(seen.origins.map(({ url, release: its, trial }) => [url, its, trial])).toEqual([
      ['http://127.0.0.1:20001', OLD, undefined],
      ['http://127.0.0.1:20002', NEW, true],
    ]);
  });

  it('make one origin of each running instance, with its release, and none of others', () => {
    const starting = release(NEW, 'starting', {
      wanted: 2,
      instances: [
        instance('shop/new/0', 'running', { port: 20_002 }),
        instance('shop/new/1', 'backing-off', { restarts: 2, reason: 'exited with code 1' }),
      ],
    });
    const seen = observe(old, starting);
    expect(seen.origins).toEqual([
      { url: 'http://127.0.0.1:20001', hostHeader: undefined, release: OLD, instance: 'shop/old/0' },
      { url: 'http://127.0.0.1:20002', hostHeader: undefined, release: NEW, instance: 'shop/new/0' },
    ]);
    expect(seen.instances).toEqual([
      {
        id: 'shop/old/0',
        release: OLD,
        state: 'running',
        routable: true,
        restarts: 0,
        cpu: 0.5,
        memoryBytes: 1_000,
      },
      { id: 'shop/new/0', release: NEW, state: 'running', routable: true, restarts: 0 },
      {
        id: 'shop/new/1',
        release: NEW,
        state: 'crashed',
        routable: false,
        restarts: 2,
        reason: 'exited with code 1',
      },
    ]);
    // The old one serves until the new one is through.
    expect(seen).toMatchObject({ serving: OLD, desired: 1, env: { COLOUR: 'blue' } });
  });

  it('say which release serves: the one that was ready last', () => {
    const fresh = release(NEW, 'running', { since: 200 });
    expect(servingRelease([fresh, old])?.id).toBe(NEW);
    expect(servingRelease([release(NEW, 'starting', { since: 300 })])).toBeUndefined();
  });

  it('name the phases of releases in ours', () => {
    const seen = observe(release(OLD, 'retiring'), release(NEW, 'failed'), release('r-0000000003', 'staged'));
    expect(seen.releases.map((one) => one.state)).toEqual(['retired', 'staged', 'staged']);
    expect(seen).toMatchObject({ exists: true, serving: undefined, desired: 0 });
  });

  it('tell how far a start is, and of an instance in trouble', () => {
    const instances = [
      instance('a', 'running'),
      instance('b', 'backing-off', { reason: 'exited with code 1' }),
    ];
    const status = applyStatus('rack', NEW, {
      releases: [release(NEW, 'starting', { wanted: 2, instances })],
    });
    expect(status).toMatchObject({
      state: 'running',
      message: '1 of 2 instances ready; b exited with code 1',
      progress: { done: 1, total: 2 },
    });
  });

  it('give a failed start its reason, its log and a remedy', () => {
    const failure = { reason: 'web/0 crashes again and again', logTail: ['no database'] };
    const status = applyStatus('rack', NEW, { releases: [old, release(NEW, 'failed', { failure })] });
    expect(status).toMatchObject({
      state: 'failed',
      error: {
        code: 'START_FAILED',
        class: 'startFailed',
        where: 'rack',
        why: failure.reason,
        logTail: ['no database'],
      },
    });
  });

  it('call an operation lost whose release is gone', () => {
    expect(applyStatus('rack', NEW, { releases: [old] }).state).toBe('lost');
    expect(scaleStatus('rack', NEW, { releases: [] }).state).toBe('lost');
  });

  it('end scaling only when those too many are gone', () => {
    const instances = [instance('a', 'running'), instance('b', 'stopping')];
    const scaled = { ...old, instances };
    expect(scaleStatus('rack', OLD, { releases: [scaled] }).state).toBe('running');
    expect(scaleStatus('rack', OLD, { releases: [old] }).state).toBe('succeeded');
    const looping = { ...old, wanted: 2, instances: [...old.instances, instance('b', 'crash-loop')] };
    expect(scaleStatus('rack', OLD, { releases: [looping] }).state).toBe('failed');
  });

  it('plan a first deployment as creation', () => {
    const want = sampleTarget({ application: 'shop', platform: 'rack', number: 1, instances: 3 });
    expect(planChanges(want, observe())).toEqual([
      { action: 'create', field: 'release', to: want.release.id, destructive: false },
      { action: 'create', field: 'instances', to: '3', destructive: false },
    ]);
  });
});
