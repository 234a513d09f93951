import type { ErrorClass } from '../core/errors.ts';
import type { ProbeFact, TargetSignals } from '../core/facts.ts';
import type { OriginId } from '../core/ids.ts';
import type { Observation, ObservedInstance } from '../core/provider.ts';
import type { ProbeKind, ProbeSignal, TrafficSignal } from '../core/signals.ts';
import { FLAP_CHECKS, flapOf } from '../lib/flap.ts';
import { type PeakEwma, sampled } from '../lib/peak-ewma.ts';

/** The last word of a platform's API. */
export interface ApiWord {
  readonly reachable: boolean;
  readonly error?: string;
  readonly fault?: ErrorClass;
  readonly at: number;
}

interface PlatformRead {
  readonly observation: Observation | undefined;
  readonly api: ApiWord | undefined;
}

/** Everything observed of one target that is evidence rather than verdict: the newest of each kind, and its age. */
export class SignalMemory {
  readonly #probes = new Map<ProbeKind, ProbeSignal>();
  /** Of each origin: did its last checks go well, oldest first. */
  readonly #checks = new Map<OriginId, boolean[]>();
  #certificate: { readonly days: number; readonly at: number } | undefined;
  #latency: { readonly ewma: PeakEwma; readonly p50Ms: number } | undefined;

  /** `decides`: a verdict hangs on it, so that changes of it count as flapping. Tells whether it says something new. */
  hearProbe(signal: ProbeSignal, decides: boolean): boolean {
    const last = this.#probes.get(signal.probe);
    const isNews = last?.detail !== signal.detail;
    // Of several origins the one that fails is the telling one, as long as it is new.
    if (
      last === undefined ||
      !signal.ok ||
      last.ok ||
      signal.at - last.at > 2_000 ||
      last.origin === signal.origin
    ) {
      this.#probes.set(signal.probe, signal);
    }
    if (signal.certificateDays !== undefined)
      this.#certificate = { days: signal.certificateDays, at: signal.at };
    if (!decides) return isNews;
    const checks = this.#checks.get(signal.origin) ?? [];
    checks.push(signal.ok);
    if (checks.length > FLAP_CHECKS) checks.shift();
    this.#checks.set(signal.origin, checks);
    return isNews;
  }

  hearTraffic({ p50Ms, at }: TrafficSignal): void {
    if (p50Ms > 0) this.#latency = { ewma: sampled(this.#latency?.ewma, p50Ms, at), p50Ms };
  }

  keepOnly(origins: ReadonlySet<OriginId>): void {
    for (const id of this.#checks.keys()) if (!origins.has(id)) this.#checks.delete(id);
  }

  facts(read: PlatformRead, traffic: readonly TrafficSignal[], now: number): TargetSignals {
    const { observation, api } = read;
    const http = this.probe('http', now);
    const tcp = this.probe('tcp', now);
    const deep = this.probe('deep', now);
    const control = this.probe('control', now);
    const code =
      http?.detail.startsWith('router ') === true ? http.detail.slice('router '.length) : undefined;
    return {
      ...(http === undefined ? {} : { http }),
      ...(tcp === undefined ? {} : { tcp }),
      ...(deep === undefined ? {} : { deep }),
      ...(control === undefined ? {} : { control }),
      ...(this.#certificate === undefined
        ? {}
        : {
            tls: {
              ok: this.#certificate.days > 0,
              daysToExpiry: this.#certificate.days,
              ageMs: now - this.#certificate.at,
            },
          }),
      ...(code === undefined || http === undefined ? {} : { routerError: { code, ageMs: http.ageMs } }),
      ...(observation === undefined && api === undefined ? {} : { platform: platformFacts(read, now) }),
      ...(traffic.length === 0 ? {} : { errors: errorsOf(traffic) }),
      ...(this.#latency === undefined
        ? {}
        : { latency: { ewmaMs: this.#latency.ewma.ms, p50Ms: this.#latency.p50Ms } }),
      flap: Math.max(0, ...[...this.#checks.values()].map(flapOf)),
    };
  }

  probe(kind: ProbeKind, now: number): ProbeFact | undefined {
    const signal = this.#probes.get(kind);
    if (signal === undefined) return undefined;
    const { ok, detail, at, latencyMs } = signal;
    return { ok, detail, ageMs: now - at, latencyMs };
  }
}

function platformFacts(
  { observation, api }: PlatformRead,
  now: number,
): NonNullable<TargetSignals['platform']> {
  const instances = observation?.instances ?? [];
  return {
    apiReachable: api?.reachable ?? true,
    ...(api?.error === undefined ? {} : { apiError: api.error }),
    ...(api?.fault === undefined ? {} : { apiFault: api.fault }),
    desired: observation?.desired ?? 0,
    running: instances.filter(({ state }) => state === 'running').length,
    routable: instances.filter(({ state, routable }) => state === 'running' && routable !== false).length,
    phase: phaseOf(observation, instances),
    ...(observation?.quotaHeadroom === undefined ? {} : { quotaHeadroom: observation.quotaHeadroom }),
    ageMs: now - (observation?.at ?? api?.at ?? now),
  };
}

function phaseOf(
  observation: Observation | undefined,
  instances: readonly ObservedInstance[],
): NonNullable<TargetSignals['platform']>['phase'] {
  if (observation === undefined || !observation.exists) return 'absent';
  if (instances.some(({ state }) => state === 'running')) return 'running';
  if (instances.some(({ state }) => state === 'starting' || state === 'pending')) return 'starting';
  if (instances.some(({ state }) => state === 'crashed')) return 'crashed';
  return 'stopped';
}

function errorsOf(traffic: readonly TrafficSignal[]): NonNullable<TargetSignals['errors']> {
  const errors = { connect: 0, tls: 0, timeout: 0, reset: 0, status: 0, own: 0 };
  for (const { counts } of traffic) {
    errors.connect += counts.connect;
    errors.tls += counts.tls;
    errors.timeout += counts.timeout;
    errors.reset += counts.reset;
    errors.status += counts.status5xx;
  }
  return errors;
}
