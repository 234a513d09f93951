import { decide } from '../../../policies/decide.ts';
import { originId } from '../../../src/core/ids.ts';
import type { Decide } from '../../../src/core/policy.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { median } from '../statistics.ts';
import { applicationName, createFleet, type FleetSize, observationOf, platformName } from './fleet.ts';

export interface DecidingReport extends FleetSize {
  readonly rounds: number;
  /** CPU milliseconds of one round, in the order in which they were measured: the policy alone, for all applications. */
  readonly decideMs: readonly number[];
  /** The same with verdicts, facts and attribution before it, and the comparison with the table after it. */
  readonly evaluateMs: readonly number[];
  /** A tick at which nothing was heard of anybody. */
  readonly calmMs: readonly number[];
  /** From one origin that failed to the new table, CPU milliseconds. */
  readonly oneFactMs: readonly number[];
  /** Decisions that one changed fact led to, in the worst round. */
  readonly decisionsByOneFact: number;
}

const TICK_MS = 250;
const COALESCE_MS = 20;
const START = 1_800_000_000_000;

/** In this process and on a clock that stands still: what is measured is computing. */
export function measureDeciding(size: FleetSize, rounds: number): DecidingReport {
  const clock = virtualClock(START);
  const url = (_application: number, platform: number) => `http://${platformName(platform)}.example.com`;
  const calls: Parameters<Decide>[] = [];
  let recording = false;
  const counting: Decide = (...given) => {
    if (recording) calls.push(given);
    return decide(...given);
  };
  const fleet = createFleet({ ...size, clock, url, decide: counting });
  const { engine } = fleet;

  function hear(application: number, platform: number, detail: string): void {
    const names = { application: applicationName(application), platform: platformName(platform) };
    const origin = originId(names.platform, url(application, platform));
    const ok = detail === 'ok';
    engine.accept({
      kind: 'probe',
      at: clock.now(),
      ...names,
      origin,
      probe: 'http',
      ok,
      detail,
      latencyMs: 1,
    });
  }

  function hearAll(): void {
    for (let application = 0; application < size.applications; application++) {
      for (let platform = 0; platform < size.platforms; platform++) {
        const at = clock.now();
        const names = { application: applicationName(application), platform: platformName(platform) };
        const host = `${names.application}.${names.platform}.example.com`;
        const observation = observationOf(at, url(application, platform), host);
        engine.accept({ kind: 'platform', at, ...names, observation });
        hear(application, platform, 'ok');
        const origin = originId(names.platform, url(application, platform));
        const counts = { ok: 10, status5xx: 0, connect: 0, tls: 0, timeout: 0, reset: 0, aborted: 0 };
        const latency = { p50Ms: 5, p95Ms: 20, inFlight: 1 };
        engine.accept({
          kind: 'traffic',
          at,
          windowMs: 1_000,
          worker: 0,
          ...names,
          origin,
          counts,
          ...latency,
        });
      }
    }
  }

  hearAll();
  void engine.start();
  const evaluateMs: number[] = [];
  const calmMs: number[] = [];
  for (let round = 0; round < rounds + WARM_UP; round++) {
    hearAll();
    // The hearing of so many at once is no part of it, and signals are decided about by a tick of their own.
    clock.advance(COALESCE_MS);
    const ms = cpuMs(() => clock.advance(TICK_MS - COALESCE_MS));
    const calm = cpuMs(() => clock.advance(TICK_MS));
    if (round < WARM_UP) continue;
    evaluateMs.push(ms);
    calmMs.push(calm);
  }

  const oneFactMs: number[] = [];
  let decisionsByOneFact = 0;
  for (let round = 0; round < rounds; round++) {
    hearAll();
    // Into the middle between two ticks, which are not what one fact leads to.
    clock.advance(TICK_MS - ((clock.now() - START) % TICK_MS) + TICK_MS / 2);
    calls.length = 0;
    recording = true;
    hear(round % size.applications, 0, 'refused');
    oneFactMs.push(cpuMs(() => clock.advance(COALESCE_MS)));
    recording = false;
    decisionsByOneFact = Math.max(decisionsByOneFact, calls.length);
  }

  hearAll();
  calls.length = 0;
  recording = true;
  clock.advance(TICK_MS);
  recording = false;
  const given = calls.slice(0, size.applications);
  const decideMs: number[] = [];
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const ms = cpuMs(() => {
      for (const one of given) decide(...one);
    });
    if (round >= WARM_UP) decideMs.push(ms);
  }
  void engine.close();
  if (given.length !== size.applications || median(decideMs) === 0) throw new Error('nothing was decided');
  return { ...size, rounds, decideMs, evaluateMs, calmMs, oneFactMs, decisionsByOneFact };
}

const WARM_UP = 10;

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
