import { describe, expect, it } from '@jest/globals';
import { type Autoscaled, autoscale } from '../../policies/autoscale.ts';
import type { LoadFacts, LoadMemory, LoadSettings } from '../../src/core/autoscale.ts';

const SETTINGS: LoadSettings = { rpsPerInstance: 50, min: 2, max: 10, coolDownMs: 300_000 };

function facts(change: Partial<LoadFacts> = {}): LoadFacts {
  return { running: 4, desired: 4, rps: 200, p95Ms: 0, cpu: undefined, ...change };
}

function ask(
  change: Partial<LoadFacts>,
  settings: Partial<LoadSettings> = {},
  memory: LoadMemory = [],
  now = 1_000,
): Autoscaled {
  return autoscale({ ...SETTINGS, ...settings }, facts(change), memory, now);
}

describe('scaling by load', () => {
  it('leaves what is near its target', () => {
    expect(ask({}).instances).toBeUndefined();
    expect(ask({ rps: 215 }).instances).toBeUndefined();
  });

  it('grows at once to what the load asks for, and says why', () => {
    const grown = ask({ rps: 330 });
    expect(grown.instances).toBe(7);
    expect(grown.reason).toBe('330 rps on 4 instances, 50 each are wanted');
  });

  it('grows to three times as many at most, and never beyond its bounds', () => {
    expect(ask({ running: 2, desired: 2, rps: 5_000 }).instances).toBe(6);
    expect(ask({ rps: 5_000 }).instances).toBe(10);
    expect(ask({ running: 1, desired: 1, rps: 1 }).instances).toBe(2);
  });

  it('waits for instances that are coming up', () => {
    expect(ask({ running: 4, desired: 6, rps: 400 })).toMatchObject({
      instances: undefined,
      reason: 'instances are coming up',
    });
  });

  it('goes by who wants most: rate, latency or cpu', () => {
    const all = { latencyMs: 200, cpu: 0.5 };
    expect(ask({ p95Ms: 300, cpu: 0.5 }, all).instances).toBe(6);
    expect(ask({ p95Ms: 200, cpu: 1 }, all).instances).toBe(8);
    expect(ask({ p95Ms: 0, cpu: undefined }, all).instances).toBeUndefined();
  });

  it('shrinks to the most that was wanted within the cool-down, and not before its end', () => {
    let memory: LoadMemory = [];
    let answer: Autoscaled | undefined;
    for (let now = 0; now < 300_000; now += 10_000) {
      answer = ask({ rps: now === 200_000 ? 150 : 100 }, {}, memory, now);
      expect(answer.instances).toBeUndefined();
      memory = answer.memory;
    }
    expect(answer?.reason).toBe('it cools down');
    answer = ask({ rps: 100 }, {}, memory, 300_000);
    expect(answer.instances).toBe(3);
    for (let now = 310_000; now <= 500_000; now += 10_000) {
      answer = ask({ running: 3, desired: 3, rps: 100 }, {}, answer.memory, now);
      if (now < 500_000) expect(answer.instances).toBeUndefined();
    }
    expect(answer.instances).toBe(2);
  });

  it('remembers no longer than the cool-down', () => {
    let memory: LoadMemory = [];
    for (let now = 0; now < 3_600_000; now += 10_000) memory = ask({}, {}, memory, now).memory;
    expect(memory.length).toBeLessThanOrEqual(30);
  });

  it('shrinks at once below a new upper bound, and grows to a new lower one', () => {
    expect(ask({}, { max: 3 }).instances).toBe(3);
    expect(ask({ rps: 0 }, { min: 6 }).instances).toBe(6);
  });

  it('asks for nothing where nothing runs or nothing is known', () => {
    expect(ask({ running: 0 }).instances).toBeUndefined();
    expect(ask({ desired: 0, running: 0 }).instances).toBeUndefined();
    expect(
      autoscale({ ...SETTINGS, rpsPerInstance: 0.0001 }, facts({ rps: 0 }), [], 0).instances,
    ).toBeUndefined();
    const { rpsPerInstance: _, ...cpuOnly } = SETTINGS;
    expect(autoscale({ ...cpuOnly, cpu: 0.5 }, facts(), [], 0).reason).toBe('its load is not known');
  });
});
