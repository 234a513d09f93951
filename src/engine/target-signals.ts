import type { ErrorClass } from '../core/errors.ts';
import type { ProbeFact, TargetSignals } from '../core/facts.ts';
import type { OriginId } from '../core/ids.ts';
import type { Observation, ObservedInstance } from '../core/provider.ts';
import type { ProbeKind, ProbeSignal, ServicesSignal, TrafficSignal } from '../core/signals.ts';
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

type PlatformFacts = NonNullable<TargetSignals['platform']>;
type Counts = Pick<PlatformFacts, 'desired' | 'running' | 'routable' | 'phase'>;
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const KINDS = ['http', 'tcp', 'deep', 'control'] as const satisfies readonly ProbeKind[];
/** How the detail of a probe begins that the platform's router answered. */
const ROUTER = 'router ';

/** Everything observed of one target that is evidence rather than verdict: the newest of each kind, and its age. */
export class SignalMemory {
  readonly #probes = new Map<ProbeKind, ProbeSignal>();
  /** Of each origin: did its last checks go well, oldest first. */
  readonly #checks = new Map<OriginId, boolean[]>();
  #certificate: { readonly days: number; readonly at: number } | undefined;
  #flap = 0;
  /** Of the last observation; it is looked at much more often than it changes. */
  #counted: { readonly of: Observation | undefined; readonly counts: Counts } | undefined;
  #services: ServicesSignal | undefined;
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
    this.#flap = this.#flapping();
    return isNews;
  }

  hearTraffic({ p50Ms, at }: TrafficSignal): void {
    if (p50Ms > 0) this.#latency = { ewma: sampled(this.#latency?.ewma, p50Ms, at), p50Ms };
  }

  hearServices(signal: ServicesSignal): void {
    this.#services = signal;
  }

  keepOnly(origins: ReadonlySet<OriginId>): void {
    for (const id of this.#checks.keys()) if (!origins.has(id)) this.#checks.delete(id);
    this.#flap = this.#flapping();
  }

  /** As much as the worst of the origins. */
  #flapping(): number {
    let most = 0;
    for (const checks of this.#checks.values()) most = Math.max(most, flapOf(checks));
    return most;
  }

  /** Filled in and not put together of spreads: for a thousand applications this is made forty thousand times a second. */
  facts(read: PlatformRead, traffic: readonly TrafficSignal[], now: number): TargetSignals {
    const facts: Writable<TargetSignals> = { flap: this.#flap };
    for (const kind of KINDS) {
      const fact = this.probe(kind, now);
      if (fact !== undefined) facts[kind] = fact;
    }
    const { http } = facts;
    if (http?.detail.startsWith(ROUTER) === true)
      facts.routerError = { code: http.detail.slice(ROUTER.length), ageMs: http.ageMs };
    const certificate = this.#certificate;
    if (certificate !== undefined) {
      const { days, at } = certificate;
      facts.tls = { ok: days > 0, daysToExpiry: days, ageMs: now - at };
    }
    if (read.observation !== undefined || read.api !== undefined) facts.platform = this.#platform(read, now);
    const services = this.#services;
    if (services !== undefined) facts.services = { faults: services.faults, ageMs: now - services.at };
    if (traffic.length > 0) facts.errors = errorsOf(traffic);
    if (this.#latency !== undefined)
      facts.latency = { ewmaMs: this.#latency.ewma.ms, p50Ms: this.#latency.p50Ms };
    return facts;
  }

  #platform({ observation, api }: PlatformRead, now: number): PlatformFacts {
    const known = this.#counted;
    const counted =
      known !== undefined && known.of === observation
        ? known
        : { of: observation, counts: countsOf(observation) };
    this.#counted = counted;
    const facts: Writable<PlatformFacts> = {
      ...counted.counts,
      apiReachable: api?.reachable ?? true,
      ageMs: now - (observation?.asOf ?? observation?.at ?? api?.at ?? now),
    };
    if (api?.error !== undefined) facts.apiError = api.error;
    if (api?.fault !== undefined) facts.apiFault = api.fault;
    if (observation?.quotaHeadroom !== undefined) facts.quotaHeadroom = observation.quotaHeadroom;
    if (observation?.credentials !== undefined) {
      const { endsAt, ...rest } = observation.credentials;
      facts.credentials = {
        ...rest,
        ...(endsAt === undefined ? {} : { hoursLeft: (endsAt - now) / 3_600_000 }),
      };
    }
    return facts;
  }

  probe(kind: ProbeKind, now: number): ProbeFact | undefined {
    const signal = this.#probes.get(kind);
    if (signal === undefined) return undefined;
    const { ok, detail, at, latencyMs } = signal;
    return { ok, detail, ageMs: now - at, latencyMs };
  }
}

function countsOf(observation: Observation | undefined): Counts {
  const instances = observation?.instances ?? [];
  return {
    desired: observation?.desired ?? 0,
    running: instances.filter(({ state }) => state === 'running').length,
    routable: instances.filter(({ state, routable }) => state === 'running' && routable !== false).length,
    phase: phaseOf(observation, instances),
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
