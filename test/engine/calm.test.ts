import { describe, expect, it } from '@jest/globals';
import { decide } from '../../policies/decide.ts';
import { originId } from '../../src/core/ids.ts';
import type { Decide } from '../../src/core/policy.ts';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { applicationName, createFleet, platformName } from '../bench/judgement/fleet.ts';

const APPLICATIONS = 8;
const PLATFORMS = 2;

function fleet() {
  const clock = virtualClock(1_800_000_000_000);
  const decided = new Map<string, number>();
  const counting: Decide = (...given) => {
    const { application } = given[1];
    decided.set(application, (decided.get(application) ?? 0) + 1);
    return decide(...given);
  };
  const url = (_application: number, platform: number) => `http://${platformName(platform)}.example.com`;
  const size = { applications: APPLICATIONS, platforms: PLATFORMS };
  const { engine } = createFleet({ ...size, clock, url, decide: counting });
  function names(application: number, platform: number) {
    const name = platformName(platform);
    const origin = originId(name, url(application, platform));
    return { at: clock.now(), application: applicationName(application), platform: name, origin };
  }
  function probe(application: number, platform: number, detail: string): void {
    const ok = detail === 'ok';
    engine.accept({
      kind: 'probe',
      ...names(application, platform),
      probe: 'http',
      ok,
      detail,
      latencyMs: 1,
    });
  }
  function traffic(application: number, platform: number, ok: number): void {
    const counts = { ok, status5xx: 0, connect: 0, tls: 0, timeout: 0, reset: 0, aborted: 0 };
    const latency = { p50Ms: 5, p95Ms: 20, inFlight: 1 };
    const window = { windowMs: 1_000, worker: 0 };
    engine.accept({ kind: 'traffic', ...names(application, platform), ...window, counts, ...latency });
  }
  /** Everybody is asked once a second, and answers. */
  function pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < APPLICATIONS * PLATFORMS; i++) probe(i % APPLICATIONS, i % PLATFORMS, 'ok');
      for (let i = 0; i < APPLICATIONS * PLATFORMS; i++) probe(i % APPLICATIONS, (i + 1) % PLATFORMS, 'ok');
      clock.advance(1_000);
    }
  }
  function counted(run: () => void): ReadonlyMap<string, number> {
    decided.clear();
    run();
    return new Map(decided);
  }
  return { engine, clock, probe, traffic, pass, counted };
}

describe('an application of which nothing is heard but that all is well', () => {
  it('is decided about once a second, and not at the same tick as all others', async () => {
    const { engine, clock, pass, counted } = fleet();
    await engine.start();
    pass(5);
    const counts = counted(() => pass(10));
    expect([...counts.values()]).toEqual(Array.from({ length: APPLICATIONS }, () => 10));
    const tick = counted(() => clock.advance(250));
    expect(tick.size).toBe(APPLICATIONS / 4);
    await engine.close();
  });

  it('still grows old: without probes it is not believed in for longer than a second more', async () => {
    const { engine, clock, pass } = fleet();
    await engine.start();
    pass(5);
    clock.advance(6_100);
    for (const verdicts of Object.values(engine.verdicts()))
      for (const verdict of Object.values(verdicts)) expect(verdict.state).toBe('unknown');
    await engine.close();
  });

  it('is decided about at the next tick when its demand changed, and the others are not', async () => {
    const { engine, clock, traffic, pass, counted } = fleet();
    await engine.start();
    pass(5);
    const others = counted(() => clock.advance(250));
    const next = [...Array(APPLICATIONS).keys()].find((i) => !others.has(applicationName(i)))!;
    let found = 0;
    for (let tick = 0; tick < 4; tick++) {
      traffic(next, 0, 50);
      const counts = counted(() => clock.advance(250));
      found += counts.get(applicationName(next)) ?? 0;
      expect(counts.size).toBeLessThanOrEqual(APPLICATIONS / 4 + 1);
    }
    expect(found).toBe(4);
    await engine.close();
  });

  it('is decided about at every tick while one of its targets is down', async () => {
    const { engine, clock, probe, pass, counted } = fleet();
    await engine.start();
    pass(5);
    probe(0, 0, 'refused');
    clock.advance(20);
    const counts = counted(() => clock.advance(1_000));
    expect(counts.get(applicationName(0))).toBe(4);
    expect(counts.get(applicationName(1))).toBe(1);
    await engine.close();
  });
});
