import { describe, expect, it } from '@jest/globals';
import { DEFAULT_HEALTH, type HealthSettings } from '../../src/core/settings.ts';
import type { EjectionReason, EjectionSignal, ProbeSignal, TrafficSignal } from '../../src/core/signals.ts';
import type { OriginHealth, OriginSignal } from '../../src/core/verdict.ts';
import { age, newOrigin, observe } from '../../src/health/origin.ts';
import { counts } from '../support/scenario.ts';

const ORIGIN = { application: 'shop', platform: 'cf', origin: 'cf/h:1' } as const;

function probe(at: number, detail = 'ok', release?: string): ProbeSignal {
  const ok = detail === 'ok';
  const common = { kind: 'probe', at, ...ORIGIN, probe: 'http', ok, detail, latencyMs: 1 } as const;
  return release === undefined ? common : { ...common, release };
}

function ejection(at: number, reason: EjectionReason, until = at + 5_000, worker = 1): EjectionSignal {
  return { kind: 'ejection', at, worker, platform: 'cf', origin: 'cf/h:1', reason, until };
}

function traffic(at: number, ok: number, status5xx: number): TrafficSignal {
  const measured = { p50Ms: 1, p95Ms: 2, inFlight: 0 };
  return {
    kind: 'traffic',
    at,
    windowMs: 1_000,
    worker: 1,
    ...ORIGIN,
    counts: counts({ ok, status5xx }),
    ...measured,
  };
}

function after(signals: readonly OriginSignal[], rules: HealthSettings = DEFAULT_HEALTH): OriginHealth {
  let origin = newOrigin(0);
  for (const signal of signals) origin = observe(origin, signal, rules);
  return origin;
}

describe('an origin by probes', () => {
  it('is up after the first success', () => {
    expect(after([probe(10)])).toMatchObject({
      state: 'up',
      since: 10,
      cause: '1 probe answered',
      proven: true,
    });
  });

  it('is down at the first refused connection', () => {
    expect(after([probe(1), probe(2, 'refused')])).toMatchObject({
      state: 'down',
      cause: '1 probe failed: refused',
    });
  });

  it('is down only after `fall` failures of any other kind in a row', () => {
    const failing = [probe(1), probe(2, 'timeout'), probe(3, 'timeout')];
    expect(after(failing).state).toBe('up');
    expect(after([...failing, probe(4), probe(5, 'timeout')]).state).toBe('up');
    expect(after([...failing, probe(4, 'timeout')])).toMatchObject({
      state: 'down',
      cause: '3 probes failed: timeout',
    });
  });

  it('is up again after `rise` successes in a row', () => {
    const down = [probe(1), probe(2, 'refused')];
    expect(after([...down, probe(3), probe(4, 'refused'), probe(5)]).state).toBe('down');
    expect(after([...down, probe(3), probe(4)])).toMatchObject({
      state: 'up',
      since: 4,
      cause: '2 probes answered',
    });
  });

  it('remembers the releases that answered last, where one is asked for', () => {
    const signals = [probe(1, 'ok', 'r-1'), probe(2, 'ok', 'r-1'), probe(3, 'ok', 'r-2'), probe(4)];
    expect(after(signals).answered).toEqual([]);
    expect(after(signals, { ...DEFAULT_HEALTH, release: { header: 'x-release' } }).answered).toEqual([
      undefined,
      'r-2',
      'r-1',
    ]);
  });
});

describe('an origin by what workers see', () => {
  it('is down at the first ejection', () => {
    const origin = after([probe(1), ejection(2, 'stall')]);
    expect(origin).toMatchObject({ state: 'down', since: 2, cause: 'ejected by worker 1: stall' });
    expect(origin.ejections).toHaveLength(1);
  });

  it('needs `rise` successes after the last ejection, not before it', () => {
    const down = [probe(1), ejection(2, 'refused'), probe(3), ejection(4, 'refused')];
    expect(after([...down, probe(5_004)]).state).toBe('down');
    expect(after([...down, probe(5_004), probe(5_005)]).state).toBe('up');
  });

  it('is not up again by probes as long as a worker keeps away from it', () => {
    const seen = [probe(1), ejection(2, 'consecutive-failures', 8_000)];
    const answering = [probe(1_000), probe(2_000), probe(3_000), probe(7_999)];
    expect(after([...seen, ...answering]).state).toBe('down');
    expect(after([...seen, ...answering, probe(8_000)]).state).toBe('up');
    const other = ejection(3, 'failure-rate', 20_000, 2);
    expect(after([...seen, other, ...answering, probe(8_000)]).state).toBe('down');
    // The others' trial went well, this one's did not yet.
    expect(after([...seen, other, ejection(9_000, 'readmitted', 9_000, 1), probe(9_500)]).state).toBe('down');
  });

  it('is not up for being let back in', () => {
    const origin = after([probe(1), ejection(2, 'stall'), ejection(3, 'readmitted', 3)]);
    expect(origin.state).toBe('down');
    expect(origin.ejections).toEqual([]);
  });

  it('is down when half of its traffic fails, though probes succeed', () => {
    expect(after([probe(1), traffic(2_000, 10, 9)]).state).toBe('up');
    expect(after([probe(1), traffic(2_000, 10, 10)])).toMatchObject({
      state: 'down',
      cause: '10 of 20 requests failed',
    });
  });

  it('stays down while traffic goes on failing, whatever the probes say', () => {
    const down = [probe(1), traffic(2_000, 0, 20)];
    expect(after([...down, probe(3_000), traffic(4_000, 0, 20), probe(4_500)]).state).toBe('down');
  });

  it('is not held down by the traffic that brought it down', () => {
    expect(after([probe(1), traffic(2_000, 0, 20), probe(3_000), probe(4_000)]).state).toBe('up');
  });
});

describe('an origin that time passes over', () => {
  it('is not brought down again, once it is up, by the traffic that brought it down', () => {
    const back = [probe(1), traffic(2_000, 0, 90), probe(3_000), probe(4_000)];
    expect(after([...back, traffic(5_000, 40, 0)]).state).toBe('up');
    expect(after([...back, traffic(5_000, 40, 40)])).toMatchObject({
      state: 'down',
      cause: '40 of 80 requests failed',
    });
  });

  it('forgets old traffic and lapsed ejections', () => {
    const origin = after([probe(1), traffic(1_000, 5, 0), ejection(2_000, 'stall')]);
    expect(age(origin, DEFAULT_HEALTH, 3_000)).toBe(origin);
    const old = age(origin, DEFAULT_HEALTH, 11_001);
    expect(old.traffic).toEqual([]);
    expect(old.ejections).toEqual([]);
  });

  it('is unknown, with the age of what was known, when no probe comes for long', () => {
    const old = age(after([probe(1)]), DEFAULT_HEALTH, 8_001);
    expect(old).toMatchObject({ state: 'unknown', cause: 'no probe for 8 s' });
    expect(observe(old, probe(9_000), DEFAULT_HEALTH).state).toBe('up');
  });

  it('stays up without probes while its traffic succeeds', () => {
    expect(age(after([probe(1), traffic(7_000, 5, 0)]), DEFAULT_HEALTH, 8_001).state).toBe('up');
  });
});
