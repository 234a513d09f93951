import type { HealthSettings } from '../core/settings.ts';
import type { EjectionSignal, ProbeSignal, TrafficCounts, TrafficSignal } from '../core/signals.ts';
import type { OriginHealth, OriginSignal } from '../core/verdict.ts';

/** How far back traffic counts. */
export const TRAFFIC_MEMORY_MS = 10_000;
/** Traffic speaks against an origin from this many attempts and this ratio on: the same as a worker's ejection. */
const MIN_ATTEMPTS = 20;
const FAILING_RATIO = 0.5;
/** Answers to look back at: enough to notice two releases behind one router. */
const ANSWERS_KEPT = 3;

export function newOrigin(now: number): OriginHealth {
  return {
    state: 'unknown',
    since: now,
    cause: 'not probed yet',
    proven: false,
    successes: 0,
    failures: 0,
    lastProbe: undefined,
    answered: [],
    ejections: [],
    traffic: [],
  };
}

/** The origin after one signal about it. */
export function observe(origin: OriginHealth, signal: OriginSignal, rules: HealthSettings): OriginHealth {
  switch (signal.kind) {
    case 'probe':
      return signal.ok ? afterSuccess(origin, signal, rules) : afterFailure(origin, signal, rules);
    case 'ejection':
      return afterEjection(origin, signal);
    case 'traffic':
      return afterTraffic(origin, signal);
  }
}

/** Unknown needs one success, down needs `rise` of them; and none counts against what traffic shows meanwhile. */
function afterSuccess(origin: OriginHealth, probe: ProbeSignal, rules: HealthSettings): OriginHealth {
  const answered =
    rules.release === undefined ? [] : [probe.release, ...origin.answered].slice(0, ANSWERS_KEPT);
  const next: OriginHealth = {
    ...origin,
    successes: origin.successes + 1,
    failures: 0,
    lastProbe: { at: probe.at, ok: true, detail: probe.detail },
    answered,
  };
  if (origin.state === 'up') return next;
  const needed = origin.state === 'unknown' ? 1 : rules.rise;
  if (next.successes < needed || isFailing(next, probe.at) || isEjected(next, probe.at)) return next;
  const count = next.successes === 1 ? '1 probe' : `${next.successes} probes`;
  // What brought it down is settled: counted again it would fell the origin a second time.
  const traffic = next.traffic.filter((signal) => counts(next, signal));
  return { ...next, state: 'up', since: probe.at, cause: `${count} answered`, proven: true, traffic };
}

/** A refused connection is beyond doubt; everything else needs `fall` in a row. */
function afterFailure(origin: OriginHealth, probe: ProbeSignal, rules: HealthSettings): OriginHealth {
  const next: OriginHealth = {
    ...origin,
    successes: 0,
    failures: origin.failures + 1,
    lastProbe: { at: probe.at, ok: false, detail: probe.detail },
  };
  if (probe.detail !== 'refused' && next.failures < rules.fall) return next;
  const count = next.failures === 1 ? '1 probe' : `${next.failures} probes`;
  return fallen(next, probe.at, `${count} failed: ${probe.detail}`);
}

/** A worker saw it fail on real requests. It lapses by time there; here the probes must prove the origin anew. */
function afterEjection(origin: OriginHealth, ejection: EjectionSignal): OriginHealth {
  const others = origin.ejections.filter(({ worker }) => worker !== ejection.worker);
  if (ejection.until <= ejection.at || ejection.reason === 'readmitted')
    return { ...origin, ejections: others };
  const next: OriginHealth = { ...origin, successes: 0, ejections: [...others, ejection] };
  return fallen(next, ejection.at, `ejected by worker ${ejection.worker}: ${ejection.reason}`);
}

function afterTraffic(origin: OriginHealth, signal: TrafficSignal): OriginHealth {
  const traffic = [...recent(origin, signal.at), signal];
  const next: OriginHealth = { ...origin, traffic };
  if (origin.state === 'down' || !isFailing(next, signal.at)) return next;
  const { attempts, failed } = countTraffic(next, signal.at);
  return fallen({ ...next, successes: 0 }, signal.at, `${failed} of ${attempts} requests failed`);
}

function fallen(origin: OriginHealth, at: number, cause: string): OriginHealth {
  // The count goes on, the moment stays: "down since" is when it fell.
  return { ...origin, state: 'down', cause, since: origin.state === 'down' ? origin.since : at };
}

/** What time alone does: traffic and ejections lapse, and an origin nobody has heard of for long is unknown. */
export function age(origin: OriginHealth, rules: HealthSettings, now: number): OriginHealth {
  const ejections = origin.ejections.filter(({ until }) => until > now);
  const traffic = recent(origin, now);
  const lapsed = ejections.length !== origin.ejections.length || traffic.length !== origin.traffic.length;
  const next = lapsed ? { ...origin, ejections, traffic } : origin;
  if (origin.state === 'unknown') return next;
  const silence = now - Math.max(origin.lastProbe?.at ?? 0, origin.since);
  if (silence <= staleAfterMs(rules)) return next;
  // Traffic that succeeds is as good as a probe.
  if (origin.state === 'up' && countTraffic(next, now).attempts > 0 && !isFailing(next, now)) return next;
  const cause = `no probe for ${Math.round(silence / 1000)} s`;
  return { ...next, state: 'unknown', since: now, cause, successes: 0, failures: 0 };
}

/** Some probes may go missing before we stop believing the last one. */
export function staleAfterMs(rules: HealthSettings): number {
  return Math.max(5_000, 4 * rules.everyMs + rules.timeoutMs);
}

export interface CountedTraffic {
  readonly attempts: number;
  readonly failed: number;
}

/** While it is down only windows that began after the fall count: what brought it down is not held against it twice. */
export function countTraffic(origin: OriginHealth, now: number): CountedTraffic {
  let attempts = 0;
  let failed = 0;
  for (const signal of origin.traffic) {
    if (signal.at <= now - TRAFFIC_MEMORY_MS || !counts(origin, signal)) continue;
    const failures = failuresOf(signal.counts);
    attempts += signal.counts.ok + failures;
    failed += failures;
  }
  return { attempts, failed };
}

function counts({ state, since }: OriginHealth, { at, windowMs }: TrafficSignal): boolean {
  return state !== 'down' || at - windowMs >= since;
}

/** Clients that went away say nothing of the origin. */
export function failuresOf(counts: TrafficCounts): number {
  return counts.status5xx + counts.connect + counts.tls + counts.timeout + counts.reset;
}

function isFailing(origin: OriginHealth, now: number): boolean {
  const { attempts, failed } = countTraffic(origin, now);
  return attempts >= MIN_ATTEMPTS && failed / attempts >= FAILING_RATIO;
}

/** What real requests met weighs more than what a probe does: until the ejection ends no success takes it back. */
function isEjected({ ejections }: OriginHealth, now: number): boolean {
  return ejections.some(({ until }) => until > now);
}

function recent(origin: OriginHealth, now: number): readonly TrafficSignal[] {
  const stale = origin.traffic.some(({ at }) => at <= now - TRAFFIC_MEMORY_MS);
  return stale ? origin.traffic.filter(({ at }) => at > now - TRAFFIC_MEMORY_MS) : origin.traffic;
}
