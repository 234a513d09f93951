import type { PlatformName } from '../../core/ids.ts';
import type { Observation } from '../../core/provider.ts';
import type { ScenarioFault, ScenarioPlatform } from '../../core/scenario.ts';

/** What people call an instance's capacity leaves a reserve; the policies' overprovision counts on it. */
const RESERVE = 1.4;
/** Utilisation from which waiting shows; the queue of an open server (M/M/1) grows with 1 / (1 − ρ). */
const MOST_UTILISED = 0.95;

/** What one platform is like at one moment of a simulation. */
export interface SimulatedState {
  /** What a probe meets: `ok`, or its detail. */
  readonly path: 'ok' | 'refused' | 'timeout' | 'router unknown_route' | 'router no_endpoints';
  readonly apiReachable: boolean;
  readonly errors: number;
  readonly latencyMs: number;
}

/** A platform that obeys its scenario and orders to scale. */
export class SimulatedPlatform {
  readonly name: PlatformName;
  readonly url: string;
  desired: number;
  readonly #given: ScenarioPlatform;
  /** Instances and when each began to serve. */
  #ready: number;
  #growing: { readonly at: number; readonly to: number } | undefined;

  constructor(given: ScenarioPlatform, index: number) {
    this.#given = given;
    this.name = given.target.platform;
    this.url = `http://10.0.0.${index + 1}:80`;
    this.desired = given.target.instances;
    this.#ready = this.desired;
  }

  /** `ms` since the start. */
  at(ms: number): SimulatedState {
    const faults = this.#given.faults.filter(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
    let path: SimulatedState['path'] = 'ok';
    let apiReachable = true;
    let errors = 0;
    let { latencyMs } = this.#given;
    for (const fault of faults) {
      if (fault.kind === 'down') path = 'refused';
      else if (fault.kind === 'frozen') path = 'timeout';
      else if (fault.kind === 'no-route') path = 'router unknown_route';
      else if (fault.kind === 'crashed') path = 'router no_endpoints';
      else if (fault.kind === 'flapping' && isOff(fault, ms)) path = 'refused';
      else if (fault.kind === 'api-down') apiReachable = false;
      else if (fault.kind === 'failing') errors = Math.max(errors, fault.errors);
      else if (fault.kind === 'slow') latencyMs = Math.max(latencyMs, fault.latencyMs);
      else if (fault.kind === 'creeping') latencyMs = Math.max(latencyMs, crept(fault, latencyMs, ms));
    }
    if (path === 'ok' && this.#given.target.standby === 'cold' && this.running(ms) === 0)
      path = 'router no_endpoints';
    return { path, apiReachable, errors, latencyMs };
  }

  /** Instances that serve. */
  running(ms: number): number {
    if (this.#growing !== undefined && ms >= this.#growing.at) {
      this.#ready = this.#growing.to;
      this.#growing = undefined;
    }
    let running = Math.min(this.#ready, this.desired);
    for (const fault of this.#given.faults) {
      if (ms < fault.fromMs || ms >= fault.toMs) continue;
      if (fault.kind === 'instances') running = Math.min(running, fault.running);
      if (fault.kind === 'crashed') running = 0;
    }
    return running;
  }

  scale(instances: number, ms: number): void {
    if (instances === this.desired) return;
    this.desired = instances;
    if (instances <= this.#ready) this.#ready = instances;
    else this.#growing = { at: ms + this.#given.scaleMs, to: instances };
  }

  /** Requests per second that it really carries now. */
  capacity(ms: number): number {
    const { capacityRps, capacityRpsPerInstance } = this.#given.target;
    if (capacityRpsPerInstance !== undefined) return capacityRpsPerInstance * this.running(ms) * RESERVE;
    return capacityRps === undefined ? Number.POSITIVE_INFINITY : capacityRps * RESERVE;
  }

  /** Median under this load. */
  latency(ms: number, rps: number): number {
    const capacity = this.capacity(ms);
    const utilised = Number.isFinite(capacity) && capacity > 0 ? Math.min(MOST_UTILISED, rps / capacity) : 0;
    return this.at(ms).latencyMs * (utilised > 0.5 ? 0.5 / (1 - utilised) : 1);
  }

  observation(at: number, ms: number): Observation {
    const running = this.running(ms);
    return {
      at,
      apiLatencyMs: 5,
      exists: true,
      releases: [],
      serving: undefined,
      desired: this.desired,
      instances: Array.from({ length: this.desired }, (_, index) => ({
        id: `${index}`,
        release: undefined,
        state: index < running ? ('running' as const) : ('starting' as const),
        routable: null,
      })),
      origins: [{ url: this.url, hostHeader: undefined }],
      env: {},
      foreign: [],
    };
  }
}

function isOff({ fromMs, everyMs }: ScenarioFault & { kind: 'flapping' }, ms: number): boolean {
  return Math.floor((ms - fromMs) / everyMs) % 2 === 0;
}

function crept(
  { fromMs, toMs, latencyMs }: ScenarioFault & { latencyMs: number },
  from: number,
  ms: number,
): number {
  return from + ((latencyMs - from) * (ms - fromMs)) / Math.max(1, toMs - fromMs);
}
