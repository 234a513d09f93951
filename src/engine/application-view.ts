import { concerns, type OperatorAct } from '../core/acts.ts';
import type { Attribution } from '../core/attribution.ts';
import type { Decision, Shares, TargetDecision } from '../core/decision.ts';
import type { DrillOf } from '../core/drill.ts';
import type { DomainEvent } from '../core/events.ts';
import type { Facts, RouteFacts, SelfFacts } from '../core/facts.ts';
import type { OriginId, PlatformName, ReleaseId } from '../core/ids.ts';
import { type Decide, INITIAL_POLICY_STATE, type PolicyState, type TargetMemory } from '../core/policy.ts';
import type { Readiness } from '../core/readiness.ts';
import type { RoutingTable, TableRoute } from '../core/routing-table.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import type { DemandSignal } from '../core/signals.ts';
import type { HealthJudge, OriginSignal, WatchedOrigin } from '../core/verdict.ts';
import { isSame } from '../lib/same.ts';
import { routesOf } from './build-table.ts';
import { ErrorWindows } from './error-windows.ts';
import { faultEvents, intentEvents, sheddingEvents } from './news.ts';
import type { PlatformView } from './platform-view.ts';
import { ReadinessWatch } from './readiness-watch.ts';
import { hasPriorities, RouteDemand } from './route-demand.ts';
import { sessionsOf } from './sessions.ts';
import { type OfferedSplit, type Split, splitOf } from './split.ts';
import { type EngineTarget, rememberedTargets } from './targets.ts';
import { countsOf, demandOf, RATE_WINDOW_MS } from './traffic.ts';

type Writer = NonNullable<PolicyState['writer']>;

/** Of the processes before this one. */
export interface Recalled {
  /** Counts unless the last table has a higher epoch. */
  readonly writer?: Writer;
  readonly promotedEpoch?: number;
  /** Instances to go back to. */
  readonly scaledFrom?: Readonly<Record<PlatformName, number>>;
  readonly timesToCapacity?: Readonly<Record<PlatformName, number>>;
}

export interface ApplicationDeps {
  readonly decide: Decide;
  readonly attribute: HealthJudge['attribute'];
  readonly readiness: HealthJudge['readiness'];
  readonly drillOf: DrillOf;
}

/** One application: its platforms, its policy and what the policy remembers. */
export class ApplicationView {
  readonly settings: ApplicationSettings;
  readonly platforms: ReadonlyMap<PlatformName, PlatformView>;
  readonly #decide: Decide;
  readonly #attribute: HealthJudge['attribute'];
  readonly #ready: HealthJudge['readiness'];
  readonly #drillOf: DrillOf;
  #readiness: Readonly<Record<PlatformName, Readiness>> | undefined;
  #readinessWatch = new ReadinessWatch();
  #readyAt = 0;
  /** Served until something is known; undefined once it is, or when there is no last table. */
  #lastRoutes: readonly TableRoute[] | undefined;
  #allowed: readonly ReleaseId[] = [];
  #allowedSince = 0;
  #trafficSince: number | undefined;
  /** Since the last decision: then demand is another one. */
  #heardTraffic = false;
  #state: PolicyState = INITIAL_POLICY_STATE;
  #decision: Decision | undefined;
  #acts: readonly OperatorAct[] = [];
  #self: SelfFacts | undefined;
  #attribution: readonly Attribution[] = [];
  #releasedAt: number | undefined;
  #promotedEpoch: number | undefined;
  #split: Split | undefined;
  #routes = new RouteDemand();
  /** Only where the policy asks for it: six hours are much to add up four times a second. */
  #errors: ErrorWindows | undefined;

  /** What was made of what, so that it is not made again four times a second. */
  #routed: { readonly from: unknown; readonly routes: readonly TableRoute[] } = {
    from: undefined,
    routes: [],
  };
  #watched: { readonly offers: unknown; readonly origins: readonly WatchedOrigin[] } = {
    offers: undefined,
    origins: [],
  };

  constructor(settings: ApplicationSettings, platforms: readonly PlatformView[], deps: ApplicationDeps) {
    this.settings = settings;
    this.platforms = new Map(platforms.map((view) => [view.platform, view]));
    this.#decide = deps.decide;
    this.#attribute = deps.attribute;
    this.#ready = deps.readiness;
    this.#drillOf = deps.drillOf;
    if (asksForErrors(settings)) this.#errors = new ErrorWindows();
  }

  get attribution(): readonly Attribution[] {
    return this.#attribution;
  }

  /** Orders of people that concern this application; which of them are in force is a question of time. */
  order(acts: readonly OperatorAct[]): void {
    this.#acts = acts.filter((act) => concerns(act, this.settings.name));
  }

  knowSelf(self: SelfFacts): void {
    this.#self = self;
  }

  /** The writer of this epoch has been promoted. */
  promoted(epoch: number): void {
    this.#promotedEpoch = epoch;
  }

  /** A person has looked: automation goes on, and what happened before is forgiven. */
  unfreeze(): void {
    const { frozen: _, failovers: __, ...rest } = this.#state;
    this.#state = rest;
  }

  get decision(): Decision | undefined {
    return this.#decision;
  }

  /** What the policy remembers. */
  get memory(): PolicyState {
    return this.#state;
  }

  get allowed(): readonly ReleaseId[] {
    return this.#allowed;
  }

  /** Begins where the last table left off. */
  resume(table: RoutingTable, now: number): void {
    const routes = table.routes.filter(({ application }) => application === this.settings.name);
    if (routes.length === 0) return;
    this.#lastRoutes = routes;
    const targets = rememberedTargets(table, this.settings.name);
    const shares: Record<PlatformName, number> = {};
    const memory: Record<PlatformName, TargetMemory> = {};
    for (const [platform, view] of this.platforms) {
      const own = targets.filter((target) => target.platform === platform);
      if (own.length === 0) continue;
      view.setTargets(own, now);
      shares[platform] = shareIn(routes, platform);
      // Who had no share may have been down or waiting: it proves itself anew.
      const kind = shares[platform] > 0 ? ({ kind: 'in' } as const) : ({ kind: 'out', since: now } as const);
      memory[platform] = { membership: kind, failovers: [] };
    }
    this.#state = { shares, lastGood: shares, targets: memory, ...writerIn(routes, table) };
  }

  /** What was done in the name of decisions of another process, and no table tells. */
  recall({ writer, promotedEpoch, scaledFrom, timesToCapacity }: Recalled, now: number): void {
    const own = this.#state.writer;
    if (writer !== undefined && writer.epoch >= (own?.epoch ?? 1)) {
      this.#state = { ...this.#state, writer };
      this.#lastRoutes = this.#lastRoutes?.map((route) => withWriter(route, writer));
    }
    if (promotedEpoch !== undefined) this.#promotedEpoch = promotedEpoch;
    const origins = Object.entries(scaledFrom ?? {}).map(
      ([platform, instances]) => [platform, { instances, since: now }] as const,
    );
    if (origins.length > 0) this.#state = { ...this.#state, scaledFrom: Object.fromEntries(origins) };
    for (const [platform, ms] of Object.entries(timesToCapacity ?? {})) {
      const view = this.platforms.get(platform);
      if (view !== undefined) view.timeToCapacityMs = ms;
    }
  }

  /** Knows from now on what another view of the same application knew, of platforms that are still the same. */
  adopt(before: ApplicationView, isSame: (platform: PlatformName) => boolean): void {
    const stays = (platform: PlatformName): boolean =>
      this.platforms.has(platform) && before.platforms.has(platform) && isSame(platform);
    for (const [platform, view] of this.platforms) {
      const known = before.platforms.get(platform);
      if (known !== undefined && stays(platform)) view.adopt(known);
    }
    this.#lastRoutes = before.#lastRoutes;
    this.#allowed = before.#allowed;
    this.#allowedSince = before.#allowedSince;
    this.#trafficSince = before.#trafficSince;
    this.#acts = before.#acts;
    this.#self = before.#self;
    this.#attribution = before.#attribution;
    this.#readinessWatch = before.#readinessWatch;
    this.#releasedAt = before.#releasedAt;
    this.#promotedEpoch = before.#promotedEpoch;
    this.#split = before.#split;
    this.#routes = before.#routes;
    // Asked for by the new settings only: from now on.
    if (this.#errors !== undefined) this.#errors = before.#errors ?? this.#errors;
    // Without the shape: what is not worth a new table are small changes, and these are none.
    const { shape: _, ...memory } = before.#state;
    const { shares, lastGood, targets } = memory;
    this.#state = {
      ...memory,
      shares: only(shares, stays),
      lastGood: only(lastGood, stays),
      targets: only(targets, stays),
    };
    this.#decision = before.#decision;
  }

  /** What is offered now: as decided, or as the last table had it. */
  offered(platform: PlatformName): { readonly share: number; readonly state: TargetDecision['state'] } {
    const decided = this.#decision?.targets[platform];
    if (decided !== undefined) return decided;
    const share = this.#state.shares[platform];
    return share === undefined
      ? { share: 0, state: 'off' }
      : { share, state: share > 0 ? 'active' : 'spare' };
  }

  /** An empty list allows any. */
  allowReleases(releases: readonly ReleaseId[], now: number): void {
    const before = this.#allowed;
    this.#allowed = releases;
    this.#allowedSince = now;
    // The first word after a start tells what serves already; only what follows is news.
    if (before.length > 0) this.#releasedAt = now;
    for (const view of this.platforms.values()) {
      view.readmit((release) => before.includes(release) && releases.includes(release));
      view.forgetOtherAnswers(releases);
    }
  }

  get split(): Split | undefined {
    return this.#split;
  }

  /** From now on, until another word; a trial that does not answer gets nothing all the same. */
  splitTo(release: ReleaseId, part: number): void {
    this.#split = splitOf(release, part);
  }

  /** Platforms with a share that run a trial of the release that is split to, and do not offer it yet. */
  awaitedTrials(release: ReleaseId): readonly PlatformName[] {
    return [...this.platforms.values()].flatMap((view) => {
      const isThere = view.observation?.trial?.release === release;
      const isAsked = this.offered(view.platform).share > 0;
      return isThere && isAsked && view.soundTrials(release).length === 0 ? [view.platform] : [];
    });
  }

  hear(platform: PlatformName, origin: OriginId, signal: OriginSignal): boolean {
    if (signal.kind === 'traffic') this.#heardTraffic = true;
    // A trial that fails is no reason to freeze anything: whoever tries it is the judge of that.
    if (signal.kind === 'traffic' && this.platforms.get(platform)?.isTrial(origin) !== true) {
      this.#trafficSince ??= signal.at - signal.windowMs;
      const { failed, attempts } = countsOf(signal);
      this.#errors?.add(signal.at, attempts, failed);
    }
    return this.platforms.get(platform)?.hear(origin, signal, this.#allowed, this.#allowedSince) ?? false;
  }

  /** What clients ask for, route by route. */
  hearDemand(signal: DemandSignal): void {
    this.#heardTraffic = true;
    this.#trafficSince ??= signal.at - signal.windowMs;
    this.#routes.hear(signal);
  }

  /** May the next tick decide otherwise, although nothing was heard that is worth a turn of its own? */
  get isRestless(): boolean {
    return this.#decision?.timeless !== true || this.#heardTraffic || this.#split !== undefined;
  }

  /** Judges, decides, and tells what changed. */
  evaluate(now: number): readonly DomainEvent[] {
    this.#heardTraffic = false;
    const events: DomainEvent[] = [];
    for (const view of this.platforms.values()) {
      const before = view.verdict;
      const after = view.judge(this.#allowed, now);
      if (before.state !== after.state) events.push(this.#verdictChanged(view.platform, before.state, after));
    }
    if (this.#knowsNothing()) return events;
    this.#lastRoutes = undefined;

    const before = this.#state.shares;
    const last = this.#decision;
    const facts = this.facts(now);
    const attribution = this.#attribute(facts, this.#attribution, now);
    events.push(...faultEvents(this.settings.name, this.#attribution, attribution));
    this.#attribution = attribution;
    const answer = this.#decide(this.settings.policy, { ...facts, attribution }, this.#state, now);
    this.#decision = answer.decision;
    this.#state = answer.state;
    events.push(...intentEvents(this.settings.name, last?.intents ?? [], answer.decision.intents ?? []));
    events.push(...sheddingEvents(last, answer.decision));
    events.push(...this.#checkReadiness(facts, answer.decision, now));
    if (!sameShares(before, answer.decision.shares))
      events.push(decisionMade(answer.decision, before, { ...facts, attribution }));
    return events;
  }

  /** Not with every decision: what it looks at changes slowly, and calls nobody before it has lasted. */
  #checkReadiness(facts: Facts, decision: Decision, now: number): readonly DomainEvent[] {
    // Of the only target nobody expects that it could be left.
    if (facts.targets.length < 2 || now - this.#readyAt < READINESS_EVERY_MS) return [];
    this.#readyAt = now;
    this.#readiness = this.#ready(facts, decision, this.#drillOf);
    return this.#readinessWatch.next(this.settings.name, this.#readiness, now);
  }

  /** Undefined until something was decided, and for an application with one target. */
  get readiness(): Readonly<Record<PlatformName, Readiness>> | undefined {
    return this.#readiness;
  }

  /** Until the first word from anywhere the last table is better than anything we could make up. */
  #knowsNothing(): boolean {
    if (this.#lastRoutes === undefined) return false;
    return [...this.platforms.values()].every(({ verdict }) => verdict.state === 'unknown');
  }

  facts(now: number): Facts {
    const spanMs = this.spanMs(now);
    const views = [...this.platforms.values()];
    const routes = this.routeFacts(now);
    return {
      application: this.settings.name,
      demandRps: this.demandRps(now),
      allowedReleases: this.#allowed,
      targets: views.map((view) => view.facts(this.#allowed, spanMs, now)),
      acts: this.#acts,
      data: this.settings.data,
      ...(this.#errors === undefined ? {} : { errorRatio: this.#errors.ratios(now) }),
      ...(routes === undefined ? {} : { routes }),
      ...(this.#self === undefined ? {} : { self: this.#self }),
      ...(this.#releasedAt === undefined ? {} : { releasedAt: this.#releasedAt }),
      ...(this.#promotedEpoch === undefined ? {} : { promotedEpoch: this.#promotedEpoch }),
    };
  }

  demandRps(now: number): number {
    const traffic = [...this.platforms.values()].flatMap((view) => view.allTraffic());
    const spanMs = this.spanMs(now);
    return demandOf(traffic, spanMs) + this.#routes.shedRps(spanMs, now);
  }

  /** Undefined where nothing tells routes apart. */
  routeFacts(now: number): readonly RouteFacts[] | undefined {
    const { routes } = this.settings;
    if (!hasPriorities(routes)) return undefined;
    return routes.map((route) => this.#routes.of(route, this.spanMs(now), now));
  }

  /** Right after a start ten seconds would be ten times too long. */
  spanMs(now: number): number {
    const since = this.#trafficSince ?? now;
    return Math.min(RATE_WINDOW_MS, Math.max(1_000, now - since));
  }

  /** The same list as long as nothing in it changed. */
  routes(): readonly TableRoute[] {
    if (this.#lastRoutes !== undefined) return this.#lastRoutes;
    if (this.#decision === undefined) return NO_ROUTES;
    const offers = this.#offers();
    const sessions = sessionsOf(this.settings, this.#decision, {
      verdictOf: (platform) => this.platforms.get(platform)?.verdict.state,
      acts: this.#acts,
      memory: this.#state.targets,
    });
    const { targets: decided, shed, shedBy, writer, promoting } = this.#decision;
    const split = this.#offeredSplit();
    const isCompared = this.#isCompared();
    const from = [
      offers,
      decided,
      [...sessions.keepsSessions],
      [...sessions.movesSessions],
      shed,
      shedBy,
      writer,
      promoting,
      split && [split.part, ...split.trials],
      isCompared,
    ];
    if (!isSame(from, this.#routed.from)) {
      const targets = offers.flat();
      const routed = {
        settings: this.settings,
        decision: this.#decision,
        targets,
        ...sessions,
        split,
        isCompared,
      };
      this.#routed = { from, routes: routesOf(routed) };
    }
    return this.#routed.routes;
  }

  /** The same list as long as nothing in it changed. */
  watched(): readonly WatchedOrigin[] {
    const offers = [this.#offers(), [...this.platforms.values()].map((view) => view.trials())];
    if (!isSame(offers, this.#watched.offers)) this.#watched = { offers, origins: this.#toWatch() };
    return this.#watched.origins;
  }

  #offers(): readonly (readonly EngineTarget[])[] {
    return [...this.platforms.values()].map((view) => view.targets());
  }

  /** Before anything is split too: the release that serves is compared with what it did until then. */
  #isCompared(): boolean {
    const { deploy } = this.settings;
    if (this.#split !== undefined || (deploy !== undefined && deploy.strategy !== 'rolling')) return true;
    return [...this.platforms.values()].some((view) => view.trials().length > 0);
  }

  #offeredSplit(): OfferedSplit | undefined {
    const split = this.#split;
    if (split === undefined) return undefined;
    const trials = new Map<PlatformName, readonly EngineTarget[]>();
    for (const view of this.platforms.values()) {
      const sound = view.soundTrials(split.release);
      if (sound.length > 0) trials.set(view.platform, sound);
    }
    return { ...split, trials };
  }

  #toWatch(): readonly WatchedOrigin[] {
    const { name: application, health } = this.settings;
    return [...this.platforms.values()].flatMap((view) =>
      [...view.targets(), ...view.trials()].flatMap(
        ({ platform, hostHeader, sni, ca, urls, pinned, ...of }) => {
          const trust = ca === undefined ? {} : { ca };
          const tried = of.trial === true && of.release !== undefined ? { trial: of.release } : {};
          // Who is told apart by Host stands behind a router; of `static` origins nobody knows what they are.
          const isRouted = view.releaseMatters && !pinned && hostHeader !== undefined;
          const router = isRouted ? { behindRouter: true as const } : {};
          return urls.map((url) => ({
            application,
            platform,
            url,
            hostHeader,
            sni,
            ...trust,
            ...router,
            ...tried,
            health,
          }));
        },
      ),
    );
  }

  #verdictChanged(
    platform: PlatformName,
    from: PlatformView['verdict']['state'],
    { state, cause, evidence }: PlatformView['verdict'],
  ): DomainEvent {
    return {
      type: 'verdict.changed',
      application: this.settings.name,
      platform,
      from,
      to: state,
      cause,
      evidence,
    };
  }
}

const READINESS_EVERY_MS = 5_000;
const NO_ROUTES: readonly TableRoute[] = [];

function decisionMade(
  { application, shares, reasons, summary, proof }: Decision,
  before: Shares,
  facts: Facts,
): DomainEvent {
  return {
    type: 'decision.made',
    application,
    shares,
    before,
    reasons: reasons.length > 0 ? reasons : [summary],
    summary,
    proof: proof(),
    facts,
  };
}

/** An epoch never falls, whoever decides: else what was the writer once could become it again unasked. */
function writerIn(routes: readonly TableRoute[], table: RoutingTable): Pick<PolicyState, 'writer'> {
  const writes = routes.find((route) => route.writes?.kind === 'single')?.writes;
  if (writes?.kind !== 'single') return {};
  const { writer, next, epoch } = writes;
  const platform = writer ?? next;
  if (platform === undefined) return {};
  const since = epoch <= 1 ? 0 : table.publishedAt;
  return { writer: { platform, epoch, ready: writer !== undefined, since } };
}

/** The last table may be older than the last promotion: who wrote before it must not write again, not for a moment. */
function withWriter(route: TableRoute, { platform, epoch, ready }: Writer): TableRoute {
  if (route.writes?.kind !== 'single') return route;
  const writes = ready
    ? ({ kind: 'single', writer: platform, epoch } as const)
    : ({ kind: 'single', writer: undefined, epoch, next: platform } as const);
  return { ...route, writes };
}

function only<T>(
  of: Readonly<Record<PlatformName, T>>,
  stays: (platform: PlatformName) => boolean,
): Readonly<Record<PlatformName, T>> {
  return Object.fromEntries(Object.entries(of).filter(([platform]) => stays(platform)));
}

function asksForErrors({ policy, drills = [] }: ApplicationSettings): boolean {
  const { budget, rules = [], safety = [] } = policy;
  const conditions = [
    ...drills.flatMap(({ blockIf, abortIf }) => [...blockIf, ...abortIf].map(({ text }) => text)),
    ...rules.map(({ when }) => when.text),
    ...safety.map((rule) =>
      rule.kind === 'floor' ? '' : rule.kind === 'gate' ? rule.open.text : rule.that.text,
    ),
  ];
  return budget !== undefined || conditions.some((text) => text.includes('error_ratio_'));
}

function shareIn(routes: readonly TableRoute[], platform: PlatformName): number {
  let share = 0;
  for (const target of routes[0]?.targets ?? []) if (target.platform === platform) share += target.share;
  return share;
}

function sameShares(a: Shares, b: Shares): boolean {
  const platforms = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...platforms].every((platform) => (a[platform] ?? 0) === (b[platform] ?? 0));
}
