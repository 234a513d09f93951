import type { ProbeFact, TargetFacts } from '../core/facts.ts';
import { type OriginId, originId, type PlatformName, type ReleaseId } from '../core/ids.ts';
import type { DegradedSettings } from '../core/policy-settings.ts';
import type { Observation, ObservedInstance } from '../core/provider.ts';
import type { HealthSettings, TargetSettings } from '../core/settings.ts';
import type { PlatformSignal, ProbeKind, ServicesSignal, TrafficSignal } from '../core/signals.ts';
import type { HealthJudge, OriginHealth, OriginSignal, Verdict } from '../core/verdict.ts';
import { isSame } from '../lib/same.ts';
import { ReleaseWindows } from './release-windows.ts';
import { type ApiWord, SignalMemory } from './target-signals.ts';
import { type EngineTarget, observedTargets } from './targets.ts';
import { RATE_WINDOW_MS, summarise } from './traffic.ts';

interface OfferedOrigin {
  readonly id: OriginId;
  readonly declared: ReleaseId | undefined;
}

interface Offer {
  readonly targets: readonly EngineTarget[];
  readonly origins: readonly OfferedOrigin[];
}

/** What the engine knows of one application on one platform, and keeps from signal to signal. */
export class PlatformView {
  readonly platform: PlatformName;
  readonly settings: TargetSettings;
  readonly releaseMatters: boolean;
  verdict: Verdict;
  observation: Observation | undefined;
  api: ApiWord | undefined;
  readonly #judge: HealthJudge;
  readonly #rules: HealthSettings;
  readonly #limits: DegradedSettings | undefined;
  readonly #constant: ConstantFacts;
  #releases: readonly ReleaseId[] | undefined;
  readonly #health = new Map<OriginId, OriginHealth>();
  #signals = new SignalMemory();
  /** From an order to scale until the instances served, as last measured. */
  timeToCapacityMs: number | undefined;
  /** Its instances are being replaced, by a deployment or a restart. */
  isExchanged = false;
  readonly #withdrawn = new Set<ReleaseId>();
  readonly #retired = new Set<OriginId>();
  #targets: readonly EngineTarget[] = [];
  /** Releases that are tried beside the one that serves: known and probed, and no part of what is judged. */
  #trials: readonly EngineTarget[] = NO_TARGETS;
  readonly #triedAt = new Map<OriginId, ReleaseId | undefined>();
  /** What clients met of either, while they are compared. */
  windows = new ReleaseWindows();
  /** Made of what stands above, when it is asked for. */
  #offered: Offer | undefined;

  constructor(
    settings: TargetSettings,
    options: {
      judge: HealthJudge;
      rules: HealthSettings;
      releaseMatters: boolean;
      limits?: DegradedSettings | undefined;
      now: number;
    },
  ) {
    this.platform = settings.platform;
    this.settings = settings;
    this.releaseMatters = options.releaseMatters;
    this.#judge = options.judge;
    this.#rules = options.rules;
    this.#limits = options.limits;
    this.#constant = constantFacts(settings, options.releaseMatters);
    this.verdict = { state: 'unknown', since: options.now, cause: 'nothing known of it yet', evidence: [] };
  }

  /** Of a cold standby that runs nothing, as its platform last said: it is neither probed nor offered. */
  get asleep(): TargetFacts['asleep'] {
    const { standby, wakesTo = 1 } = this.settings;
    if (standby !== 'cold' || this.observation === undefined) return undefined;
    const { desired, instances } = this.observation;
    if (desired > 0 || instances.some(({ state }) => state === 'running')) return undefined;
    return { instances: wakesTo };
  }

  /** The same list as long as nothing of it changed. */
  trials(): readonly EngineTarget[] {
    return this.#trials;
  }

  /** The trials of this release with those origins that answer, and as nothing else. */
  soundTrials(release: ReleaseId): readonly EngineTarget[] {
    return this.#trials.flatMap((trial) => {
      if (trial.release !== release) return [];
      const urls = trial.urls.filter((url) => {
        const { state, answered } = this.health(originId(this.platform, url, release));
        return state === 'up' && answered.every((one) => one === release);
      });
      return urls.length === 0 ? [] : [{ ...trial, urls }];
    });
  }

  trialOrigins(release: ReleaseId): readonly OriginId[] {
    return [...this.#triedAt].flatMap(([id, tried]) => (tried === release ? [id] : []));
  }

  /** What is there and was not taken out; the same list as long as nothing of it changed. */
  targets(): readonly EngineTarget[] {
    return this.#offer().targets;
  }

  #offer(): Offer {
    this.#offered ??= this.#offerOf(this.asleep === undefined ? this.#left() : NO_TARGETS);
    return this.#offered;
  }

  #offerOf(targets: readonly EngineTarget[]): Offer {
    const origins = targets.flatMap(({ urls, release, pinned }) =>
      urls.map((url) => ({ id: this.idOf(url), declared: pinned ? release : undefined })),
    );
    return { targets, origins };
  }

  #left(): readonly EngineTarget[] {
    const left = this.#targets.filter(
      ({ release }) => release === undefined || !this.#withdrawn.has(release),
    );
    if (this.#retired.size === 0) return left;
    return left
      .map((target) => ({ ...target, urls: target.urls.filter((url) => !this.#retired.has(this.idOf(url))) }))
      .filter(({ urls }) => urls.length > 0);
  }

  /** Tells whether they are others than before. */
  setTargets(targets: readonly EngineTarget[], now: number): boolean {
    // Every read of a platform says it anew, and hardly ever something new.
    const own = targets.filter(({ trial }) => trial !== true);
    const trials = targets.filter(({ trial }) => trial === true);
    if (isSame(own, this.#targets) && isSame(trials, this.#trials)) return false;
    this.#targets = own;
    this.#trials = trials.length === 0 ? NO_TARGETS : trials;
    this.#offered = undefined;
    const present = new Set(own.flatMap(({ urls }) => urls.map((url) => this.idOf(url))));
    this.#signals.keepOnly(present);
    this.#inherit(own);
    this.#triedAt.clear();
    for (const { urls, release } of trials) {
      for (const url of urls) {
        const id = originId(this.platform, url, release);
        this.#triedAt.set(id, release);
        present.add(id);
      }
    }
    for (const id of this.#health.keys()) if (!present.has(id)) this.#health.delete(id);
    for (const id of this.#retired) if (!present.has(id)) this.#retired.delete(id);
    for (const id of present) if (!this.#health.has(id)) this.#health.set(id, this.#judge.newOrigin(now));
    return true;
  }

  /** What they met before it was put to sleep says nothing of the instances that come next. */
  #forgetOrigins(now: number): void {
    for (const id of this.#health.keys()) this.#health.set(id, this.#judge.newOrigin(now));
  }

  /** What a trial has shown at an address holds when the very same release becomes the platform's own there. */
  #inherit(own: readonly EngineTarget[]): void {
    for (const { urls, release } of own) {
      for (const url of release === undefined ? [] : urls) {
        const tried = this.#health.get(originId(this.platform, url, release));
        const isTried = this.#triedAt.has(originId(this.platform, url, release));
        if (isTried && tried !== undefined && !this.#health.has(this.idOf(url)))
          this.#health.set(this.idOf(url), tried);
      }
    }
  }

  /** Goes on with all that another view of the same platform knew. */
  adopt(before: PlatformView): void {
    this.verdict = before.verdict;
    this.observation = before.observation;
    this.#releases = before.#releases;
    this.api = before.api;
    this.#signals = before.#signals;
    this.#targets = before.#targets;
    this.#trials = before.#trials;
    for (const [id, release] of before.#triedAt) this.#triedAt.set(id, release);
    this.windows = before.windows;
    this.#offered = undefined;
    this.timeToCapacityMs = before.timeToCapacityMs;
    this.isExchanged = before.isExchanged;
    for (const [id, health] of before.#health) this.#health.set(id, health);
    for (const release of before.#withdrawn) this.#withdrawn.add(release);
    for (const id of before.#retired) this.#retired.add(id);
  }

  /**
   * A read that failed changes nothing but what we know of the API; one that came late, nothing at all. Tells whether
   * it is worth deciding anew before the next tick.
   */
  observe(signal: PlatformSignal): boolean {
    const { observation } = signal;
    const { api } = this;
    if (observation === undefined) {
      const fault = signal.apiFault === undefined ? {} : { fault: signal.apiFault };
      this.api = { reachable: false, error: signal.apiError ?? 'no answer', ...fault, at: signal.at };
      return api?.reachable !== false || api.fault !== signal.apiFault;
    }
    const before = this.observation;
    if (before !== undefined && observation.at < before.at) return false;
    this.api = { reachable: true, at: signal.at };
    const slept = this.asleep !== undefined;
    this.observation = observation;
    if (slept !== (this.asleep !== undefined)) this.#offered = undefined;
    if (!slept && this.asleep !== undefined) this.#forgetOrigins(signal.at);
    this.#releases = releasesIn(observation);
    const isNews = api?.reachable !== true || before === undefined || !showsTheSame(before, observation);
    const offered = observedTargets(this.platform, observation);
    // "Nothing is there" against an origin that answers: the path is believed until it says so too.
    const isDoubted =
      offered.every(({ trial }) => trial === true) && this.#own().some(({ state }) => state === 'up');
    return (!isDoubted && this.setTargets(offered, signal.at)) || isNews;
  }

  /**
   * `since` is when the allowed releases last changed: what answered earlier may not speak against them. Tells whether
   * it is worth deciding anew before the next tick: what goes well again and again is not.
   */
  hear(origin: OriginId, signal: OriginSignal, allowed: readonly ReleaseId[], since: number): boolean {
    if (signal.kind === 'traffic' && signal.compared !== undefined) this.windows.add(signal, signal.compared);
    const health = this.#health.get(origin);
    if (health === undefined) return false;
    if (this.isTrial(origin)) return this.#hearOfTrial(origin, health, signal);
    if (signal.kind === 'probe') {
      const isNews = this.#signals.hearProbe(signal, decides(signal.probe, this.#rules));
      // What goes deeper, or past the application, is evidence and no verdict.
      if (!decides(signal.probe, this.#rules)) return isNews;
    } else if (signal.kind === 'traffic') this.#signals.hearTraffic(signal);
    const next = this.#judge.observe(health, signal, this.#rules);
    const early = signal.kind === 'probe' && signal.at - signal.latencyMs < since;
    const after = early ? { ...next, answered: answersAmong(next, allowed) } : next;
    this.#health.set(origin, after);
    return signal.kind === 'ejection' || !believesTheSame(health, after);
  }

  /** It is judged by itself: nothing of it speaks for or against the platform. */
  #hearOfTrial(origin: OriginId, health: OriginHealth, signal: OriginSignal): boolean {
    if (signal.kind === 'probe' && !decides(signal.probe, this.#rules)) return false;
    const next = this.#judge.observe(health, signal, this.#rules);
    this.#health.set(origin, next);
    return signal.kind === 'ejection' || !believesTheSame(health, next);
  }

  isTrial(origin: OriginId): boolean {
    return this.#triedAt.has(origin);
  }

  forgetOtherAnswers(allowed: readonly ReleaseId[]): void {
    for (const [id, health] of this.#health) {
      if (this.isTrial(id)) continue;
      this.#health.set(id, { ...health, answered: answersAmong(health, allowed) });
    }
  }

  withdraw(release: ReleaseId): void {
    this.#withdrawn.add(release);
    this.#offered = undefined;
  }

  /** Only releases that were allowed before and still are stay withdrawn: any other comes anew. */
  readmit(stay: (release: ReleaseId) => boolean): void {
    for (const release of this.#withdrawn) if (!stay(release)) this.#withdrawn.delete(release);
    this.#offered = undefined;
  }

  retire(origins: readonly OriginId[]): void {
    for (const id of origins) if (this.#health.has(id)) this.#retired.add(id);
    this.#offered = undefined;
  }

  /** Lets time pass and judges anew. */
  judge(allowed: readonly ReleaseId[], now: number): Verdict {
    for (const [id, health] of this.#health) {
      const aged = this.#judge.age(health, this.#rules, now);
      if (aged !== health) this.#health.set(id, aged);
    }
    const origins = this.#judged(allowed).map(({ id }) => ({ id, health: this.health(id) }));
    const apiError = this.api?.reachable === false ? (this.api.error ?? 'no answer') : undefined;
    const deep = this.#deep(now);
    const evidence = {
      ...{ origins, observation: this.observation, apiError },
      ...(deep === undefined ? {} : { deep }),
      ...(this.#limits === undefined
        ? {}
        : { limits: this.#limits, traffic: summarise(this.traffic(), RATE_WINDOW_MS) }),
    };
    const judged = this.#judge.judge(evidence, this.verdict, now);
    this.verdict = this.asleep === undefined ? judged : { ...judged, cause: ASLEEP };
    return this.verdict;
  }

  facts(allowed: readonly ReleaseId[], spanMs: number, now: number): TargetFacts {
    const traffic = this.traffic();
    const instances = this.running();
    const facts: Writable<TargetFacts> = {
      ...this.#constant,
      verdict: this.verdict,
      origins: this.#origins().map(({ id, declared }) => {
        const { state, answered } = this.health(id);
        return { id, state, declared, answered };
      }),
      capacityRps: this.#capacity(),
      availability: this.#availability(allowed),
      traffic: summarise(traffic, spanMs),
      signals: this.#signals.facts(this, traffic, now),
    };
    if (this.isExchanged) facts.exchanging = exchangedPart(instances?.desired);
    if (this.#releases !== undefined) facts.releases = this.#releases;
    if (instances !== undefined) facts.instances = { ...instances, max: this.settings.maxInstances };
    const { asleep } = this;
    if (asleep !== undefined) facts.asleep = asleep;
    if (this.timeToCapacityMs !== undefined) facts.timeToCapacityMs = this.timeToCapacityMs;
    return facts;
  }

  hearServices(signal: ServicesSignal): void {
    this.#signals.hearServices(signal);
  }

  /** Undefined where nobody asks for it, or the last one is too old to say anything. */
  #deep(now: number): ProbeFact | undefined {
    const { deep } = this.#rules;
    if (deep === undefined) return undefined;
    const fact = this.#signals.probe('deep', now);
    return fact !== undefined && fact.ageMs <= 3 * deep.everyMs + deep.timeoutMs ? fact : undefined;
  }

  /** Of its own origins: what a trial meets is no fact about the platform. */
  traffic(): readonly TrafficSignal[] {
    return trafficOf(this.#own());
  }

  /** What clients asked for, whoever answered. */
  allTraffic(): readonly TrafficSignal[] {
    return trafficOf([...this.#health.values()]);
  }

  trialTraffic(): readonly TrafficSignal[] {
    return trafficOf([...this.#triedAt.keys()].map((id) => this.health(id)));
  }

  #own(): readonly OriginHealth[] {
    if (this.#triedAt.size === 0) return [...this.#health.values()];
    return [...this.#health].flatMap(([id, health]) => (this.isTrial(id) ? [] : [health]));
  }

  ejectedOrigins(): number {
    return this.#origins().filter(({ id }) => this.health(id).ejections.length > 0).length;
  }

  origins(): readonly OriginId[] {
    return this.#origins().map(({ id }) => id);
  }

  running(): { readonly running: number; readonly desired: number } | undefined {
    if (this.observation === undefined) return undefined;
    // Static origins: nobody counts instances there.
    const isEmpty = this.observation.desired === 0 && this.observation.instances.length === 0;
    if (isEmpty && this.settings.standby !== 'cold') return undefined;
    let running = 0;
    for (const { state, routable } of this.observation.instances)
      if (state === 'running' && routable !== false) running += 1;
    return { running, desired: this.observation.desired };
  }

  idOf(url: string): OriginId {
    return originId(this.platform, url);
  }

  health(id: OriginId): OriginHealth {
    return this.#health.get(id) ?? this.#judge.newOrigin(this.verdict.since);
  }

  #origins(): readonly OfferedOrigin[] {
    return this.#offer().origins;
  }

  /** Beside instances of a wanted release those of another one are nobody's concern: they come up or go. */
  #judged(allowed: readonly ReleaseId[]): readonly OfferedOrigin[] {
    const all = this.#origins();
    if (!this.releaseMatters || allowed.length === 0) return all;
    const wanted = all.filter(({ declared }) => declared === undefined || allowed.includes(declared));
    return wanted.length > 0 ? wanted : all;
  }

  #capacity(): number | undefined {
    const { capacityRpsPerInstance, capacityRps, instances } = this.settings;
    if (capacityRpsPerInstance === undefined) return capacityRps;
    return capacityRpsPerInstance * (this.running()?.desired ?? instances);
  }

  /**
   * The platform's last word counts until it says another one: that it fell silent moves nothing. And what answers
   * counts at least as one instance, whatever the platform says.
   */
  #availability(allowed: readonly ReleaseId[]): number {
    const origins = this.#judged(allowed);
    let down = 0;
    for (const { id } of origins) if (this.health(id).state === 'down') down += 1;
    const reachable = down === origins.length ? 1 : (origins.length - down) / origins.length;
    const instances = this.running();
    if (instances === undefined || instances.desired <= 0) return reachable;
    const running = Math.min(1, Math.max(1, instances.running) / instances.desired);
    return Math.min(reachable, running);
  }
}

/** A quarter at a time is replaced, and of few instances never more than half is written off. */
function exchangedPart(desired = 1): number {
  const count = Math.max(1, desired);
  return Math.min(0.5, Math.ceil(count / 4) / count);
}

const NO_TARGETS: readonly EngineTarget[] = [];
const ASLEEP = 'a cold standby: it runs nothing until it is needed';

function trafficOf(origins: readonly OriginHealth[]): readonly TrafficSignal[] {
  const [only] = origins;
  if (only === undefined) return [];
  return origins.length === 1 ? only.traffic : origins.flatMap(({ traffic }) => traffic);
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type ConstantFacts = Pick<
  TargetFacts,
  'platform' | 'tier' | 'weight' | 'releaseMatters' | 'standby' | 'rpsPerInstance' | 'costPerInstanceHour'
>;

/** What the configuration says and no signal changes. */
function constantFacts(settings: TargetSettings, releaseMatters: boolean): ConstantFacts {
  const { platform, tier, weight, standby, capacityRpsPerInstance, costPerInstanceHour } = settings;
  return {
    ...{ platform, tier, weight, releaseMatters },
    ...(standby === undefined ? {} : { standby }),
    ...(capacityRpsPerInstance === undefined ? {} : { rpsPerInstance: capacityRpsPerInstance }),
    ...(costPerInstanceHour === undefined ? {} : { costPerInstanceHour }),
  };
}

function releasesIn({ releases }: Observation): readonly ReleaseId[] {
  return releases.flatMap(({ id, state }) => (state === 'retired' ? [] : [id]));
}

function believesTheSame(a: OriginHealth, b: OriginHealth): boolean {
  return (
    a.state === b.state &&
    a.cause === b.cause &&
    a.lastProbe?.ok === b.lastProbe?.ok &&
    a.lastProbe?.detail === b.lastProbe?.detail &&
    isSame(a.answered, b.answered)
  );
}

/** But for when it was read, how long that took, and how busy the instances are. */
function showsTheSame(a: Observation, b: Observation): boolean {
  return (
    a.exists === b.exists &&
    a.serving === b.serving &&
    a.desired === b.desired &&
    a.quotaHeadroom === b.quotaHeadroom &&
    isSame(a.releases, b.releases) &&
    a.instances.length === b.instances.length &&
    a.instances.every((instance, i) => isSameInstance(instance, b.instances[i]))
  );
}

function isSameInstance(a: ObservedInstance, b: ObservedInstance | undefined): boolean {
  return a.id === b?.id && a.state === b.state && a.routable === b.routable && a.release === b.release;
}

/** Beside a health path a port that is open says nothing of who stands behind it. */
function decides(kind: ProbeKind, { path }: HealthSettings): boolean {
  return kind === (path === undefined ? 'tcp' : 'http');
}

function answersAmong(health: OriginHealth, allowed: readonly ReleaseId[]): OriginHealth['answered'] {
  if (allowed.length === 0) return health.answered;
  return health.answered.filter((release) => release !== undefined && allowed.includes(release));
}
