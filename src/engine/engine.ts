import type { OperatorAct } from '../core/acts.ts';
import type { Decision } from '../core/decision.ts';
import type { DrillStanding } from '../core/drill.ts';
import type { Facts, SelfFacts } from '../core/facts.ts';
import type { ApplicationName, OriginId, PlatformName, ReleaseId } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import type { Decide, PolicyState } from '../core/policy.ts';
import type { Clock, Dispose, Event, EventLog, Logger, Runnable } from '../core/ports.ts';
import { EMPTY_TABLE, type RoutingTable, sameRouting, type TableRoute } from '../core/routing-table.ts';
import type { ApplicationSettings, PlatformSettings } from '../core/settings.ts';
import type { PlatformSignal, Signal } from '../core/signals.ts';
import type { ApplicationStatus, Explanation } from '../core/status.ts';
import type { ReleaseOutcome } from '../core/traffic.ts';
import type { HealthJudge, Verdict, WatchedOrigin } from '../core/verdict.ts';
import { emitter } from '../lib/emitter.ts';
import { isSame } from '../lib/same.ts';
import { ApplicationView, type Recalled } from './application-view.ts';
import { frozen, inMatchingOrder } from './build-table.ts';
import { PlatformView } from './platform-view.ts';
import { explanationOf, statusOf } from './report.ts';
import type { EngineTarget } from './targets.ts';
import { outcomesOf } from './trial-report.ts';

export interface EngineDeps {
  readonly applications: readonly ApplicationSettings[];
  /** To know which providers deploy: `static` targets run what they run. */
  readonly platforms: Readonly<Record<PlatformName, PlatformSettings>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  readonly decide: Decide;
  readonly judge: HealthJudge;
  /** What drills have shown. Default: nothing. */
  readonly drillOf?: (application: ApplicationName, platform: PlatformName) => DrillStanding | undefined;
  /** What was served last, by whichever process: it is served on until something is known. */
  readonly lastTable?: RoutingTable;
}

/**
 * The one who publishes routing tables. Signals go in, whole tables come out, each with a version above all before
 * and only when it differs in what matters to a request.
 */
export interface Engine extends Runnable {
  accept(signal: Signal): void;
  /** What exists now on the platforms that occur in `targets`; the others keep what they have. */
  setTargets(application: ApplicationName, targets: readonly EngineTarget[]): void;
  /**
   * Decides once as if these applications were configured, and throws what goes wrong with that; changes nothing.
   */
  rehearse(applications: readonly ApplicationSettings[], platforms: EngineDeps['platforms']): void;
  /** These from now on. What is known of an application that stays is kept; one that left is in no table any more. */
  reconfigure(applications: readonly ApplicationSettings[], platforms: EngineDeps['platforms']): void;
  /** Releases that may take traffic from now on; empty: any. */
  allowReleases(application: ApplicationName, releases: readonly ReleaseId[]): void;
  /**
   * Gives this part of every platform's share to its trials of the release, and returns the first version with it.
   * Known for as long as this process lives.
   */
  split(application: ApplicationName, release: ReleaseId, part: number): number;
  /** Platforms with a share whose trial of that release is there and takes nothing yet. */
  awaitedTrials(application: ApplicationName, release: ReleaseId): readonly PlatformName[];
  /** What clients met since then, of each platform's own origins and of its trial. */
  outcomes(application: ApplicationName, since: number): readonly ReleaseOutcome[];
  /** Takes a release's own origins out of the table and returns the first version without them. */
  withdrawRelease(application: ApplicationName, platform: PlatformName, release: ReleaseId): number;
  /** The same for single origins: before instances are taken away. */
  retireOrigins(application: ApplicationName, origins: readonly OriginId[]): number;
  /** Is the release in the table, on this platform: by its label or by what its origins answer? */
  offers(application: ApplicationName, platform: PlatformName, release: ReleaseId): boolean;
  /** Instances of it are being replaced there: until that is over it counts as smaller than it is. */
  exchange(application: ApplicationName, platform: PlatformName, isUnderWay: boolean): void;
  /** It answers its probes. */
  isUp(application: ApplicationName, origin: OriginId): boolean;
  /** All acts that are kept, in force or not; they replace what was ordered before. */
  order(acts: readonly OperatorAct[]): void;
  /** The writer of this epoch was promoted: unsafe requests may go there. */
  promoted(application: ApplicationName, epoch: number): void;
  /** A person has looked: automation goes on. */
  unfreeze(application: ApplicationName): void;
  /** Does the state store answer? Without it nothing scales or fails back by itself. */
  stateIs(state: SelfFacts['state']): void;
  /** What processes before this one did in the name of decisions: before `start`, or before it is configured. */
  recall(application: ApplicationName, recalled: Recalled): void;
  /** From an order to scale until the instances served. */
  capacityTook(application: ApplicationName, platform: PlatformName, ms: number): void;
  decision(application: ApplicationName): Decision | undefined;
  /** What a decision would be made from now, beside the last one; undefined until there is one. */
  insight(application: ApplicationName): Insight | undefined;
  /** What a decision wants done beside moving traffic, whenever that changed. */
  readonly onIntents: Event<{ readonly application: ApplicationName; readonly intents: readonly Intent[] }>;
  /** Makes versions rise above one that was seen elsewhere: a worker may follow a table we did not keep. */
  surpass(version: number): void;
  readonly table: RoutingTable;
  readonly onTable: Event<RoutingTable>;
  /** What is to be probed, whole, at every change. */
  readonly watched: readonly WatchedOrigin[];
  readonly onWatched: Event<readonly WatchedOrigin[]>;
  verdicts(): Readonly<Record<ApplicationName, Readonly<Record<PlatformName, Verdict>>>>;
  explain(application: ApplicationName): Explanation | undefined;
  /** All but the release's number, which is the orchestrator's to say. */
  statusOf(application: ApplicationName): Omit<ApplicationStatus, 'release'> | undefined;
}

export interface Insight {
  readonly facts: Facts;
  readonly state: PolicyState;
  readonly decision: Decision;
}

/** Signals that come within this time are answered by one decision. */
const COALESCE_MS = 20;
/** Hold-downs end and facts grow old without any signal. */
const TICK_MS = 250;
/** Of applications of which nothing was heard and whose decision does not hang on time, each tick takes its part. */
const CALM_TICKS = 4;

export function createEngine(deps: EngineDeps): Engine {
  const { clock, events, logger } = deps;
  const applications = new Map(deps.applications.map((settings) => [settings.name, viewOf(settings, deps)]));
  const tables = emitter<RoutingTable>();
  const watches = emitter<readonly WatchedOrigin[]>();
  const intents = emitter<{ readonly application: ApplicationName; readonly intents: readonly Intent[] }>();
  const apiDownSince = new Map<PlatformName, number>();
  const dirty = new Set<ApplicationView>();
  /** By application: what the table and the list of those to probe were last made of. */
  const offered = new Map<ApplicationName, readonly TableRoute[]>();
  const probed = new Map<ApplicationName, readonly WatchedOrigin[]>();
  let isOfferNew = false;
  let isWatchNew = true;
  /** At a start and with other applications it is not enough to look at those that changed. */
  let isWhole = true;
  let table = deps.lastTable === undefined ? EMPTY_TABLE : frozen(deps.lastTable);
  const recalled = new Map<ApplicationName, Recalled>();
  let { platforms } = deps;
  let ordered: readonly OperatorAct[] = [];
  let watched: readonly WatchedOrigin[] = [];
  let floor = table.version;
  let self: SelfFacts = { egress: 'unknown', late: false, state: 'ok' };
  let turn = 0;
  let soon: Dispose | undefined;
  let tick: Dispose | undefined;

  function evaluate(views: Iterable<ApplicationView>): void {
    for (const view of views) {
      const before = view.decision?.intents;
      for (const event of view.evaluate(clock.now())) events.append(event);
      const after = view.decision?.intents ?? [];
      if (!isSame(before ?? [], after)) intents.fire({ application: view.settings.name, intents: after });
      compare(view);
    }
    publish();
    tellWatched();
  }

  /** What of an application differs from what was published; of a thousand others nothing is looked at. */
  function compare(view: ApplicationView): void {
    const { name } = view.settings;
    const routes = view.routes();
    const published = offered.get(name);
    if (published !== routes) {
      offered.set(name, routes);
      if (!isSame(published, routes)) isOfferNew = true;
    }
    const origins = view.watched();
    if (probed.get(name) !== origins) {
      probed.set(name, origins);
      isWatchNew = true;
    }
  }

  /** Only who is configured is offered and probed. */
  function forgetOthers(): void {
    for (const known of [offered, probed])
      for (const name of known.keys()) if (!applications.has(name)) known.delete(name);
    isWhole = true;
    isWatchNew = true;
  }

  function publish(): void {
    if (!isOfferNew && !isWhole && table.version >= floor) return;
    const routes = inMatchingOrder(
      [...applications].flatMap(([name, view]) => offered.get(name) ?? view.routes()),
    );
    const next = frozen({ version: Math.max(floor, table.version) + 1, publishedAt: clock.now(), routes });
    const isEqual = isWhole ? sameRouting(table, next) : !isOfferNew;
    isOfferNew = false;
    isWhole = false;
    if (isEqual && table.version >= floor) return;
    table = next;
    floor = next.version;
    events.append({
      type: 'table.published',
      version: next.version,
      shares: sharesOf(applications.values()),
    });
    logger.debug({ version: next.version }, 'routing table published');
    tables.fire(next);
  }

  function tellWatched(): void {
    if (!isWatchNew) return;
    isWatchNew = false;
    const next = [...applications].flatMap(([name, view]) => probed.get(name) ?? view.watched());
    if (isSame(next, watched)) return;
    watched = next;
    watches.fire(next);
  }

  function evaluateSoon(view: ApplicationView): void {
    dirty.add(view);
    if (tick === undefined) return;
    soon ??= clock.after(COALESCE_MS, () => {
      soon = undefined;
      const now = [...dirty];
      dirty.clear();
      evaluate(now);
    });
  }

  function acceptPlatform(signal: PlatformSignal): void {
    const { platform, observation } = signal;
    const since = apiDownSince.get(platform);
    if (observation === undefined && since === undefined) {
      apiDownSince.set(platform, signal.at);
      events.append({ type: 'platform.api.down', platform, error: signal.apiError ?? 'no answer' });
    }
    if (observation !== undefined && since !== undefined) {
      apiDownSince.delete(platform);
      events.append({ type: 'platform.api.up', platform, afterMs: signal.at - since });
    }
    const view = applications.get(signal.application);
    if (view?.platforms.get(platform)?.observe(signal)) evaluateSoon(view);
  }

  function knowSelf(next: SelfFacts): void {
    self = next;
    for (const view of applications.values()) {
      view.knowSelf(next);
      evaluateSoon(view);
    }
  }

  /** Views of these applications that know what those before them knew. */
  function succeed(
    settings: readonly ApplicationSettings[],
    kinds: EngineDeps['platforms'],
  ): readonly ApplicationView[] {
    return settings.map((one) => {
      const view = viewOf(one, { ...deps, platforms: kinds });
      const before = applications.get(one.name);
      view.order(ordered);
      view.knowSelf(self);
      if (before !== undefined) view.adopt(before, (platform) => sameKind(platforms, kinds, platform));
      else view.recall(recalled.get(one.name) ?? {}, clock.now());
      return view;
    });
  }

  function known(application: ApplicationName): ApplicationView {
    const view = applications.get(application);
    if (view === undefined) throw new Error(`the engine does not know the application ${application}`);
    return view;
  }

  /** Who is calm still grows old: after a second at most it is looked at all the same. */
  function dueNow(): readonly ApplicationView[] {
    turn = (turn + 1) % CALM_TICKS;
    return [...applications.values()].filter((view, i) => view.isRestless || i % CALM_TICKS === turn);
  }

  /** For acts whose effect the caller waits for. */
  function evaluateNow(view: ApplicationView): number {
    evaluate([view]);
    return table.version;
  }

  return {
    name: 'engine',
    accept(signal) {
      switch (signal.kind) {
        case 'platform':
          return acceptPlatform(signal);
        case 'probe':
        case 'traffic': {
          const view = applications.get(signal.application);
          if (view?.hear(signal.platform, signal.origin, signal)) evaluateSoon(view);
          return;
        }
        case 'services':
          // Worth no decision of its own: it moves no traffic.
          return applications.get(signal.application)?.platforms.get(signal.platform)?.hearServices(signal);
        case 'demand':
          // Each second, and there is a tick before the next.
          return applications.get(signal.application)?.hearDemand(signal);
        case 'self':
          return knowSelf({ ...self, egress: signal.egress });
        case 'ejection': {
          const { platform, origin, worker, reason, at, until } = signal;
          const address = signal.address === undefined ? {} : { address: signal.address };
          // A router is one address for many applications: what the address does concerns them all.
          for (const view of applications.values()) {
            const concerned = signal.application === undefined || signal.application === view.settings.name;
            // One address less: the origin's others serve on, and its probes find one of them.
            if (concerned && signal.partly !== true && view.hear(platform, origin, signal))
              evaluateSoon(view);
          }
          if (until > at)
            events.append({
              type: 'origin.ejected',
              platform,
              origin,
              reason,
              worker,
              forMs: until - at,
              ...address,
            });
          else events.append({ type: 'origin.readmitted', platform, origin, worker, ...address });
        }
      }
    },
    setTargets(application, targets) {
      const view = known(application);
      for (const platform of new Set(targets.map((target) => target.platform))) {
        const own = targets.filter((target) => target.platform === platform);
        view.platforms.get(platform)?.setTargets(own, clock.now());
      }
      evaluateSoon(view);
    },
    rehearse(settings, kinds) {
      for (const view of succeed(settings, kinds)) view.evaluate(clock.now());
    },
    reconfigure(settings, kinds) {
      const views = succeed(settings, kinds);
      platforms = kinds;
      applications.clear();
      dirty.clear();
      for (const view of views) applications.set(view.settings.name, view);
      forgetOthers();
      evaluate(views);
    },
    allowReleases(application, releases) {
      const view = known(application);
      view.allowReleases(releases, clock.now());
      evaluateSoon(view);
    },
    split(application, release, part) {
      const view = known(application);
      const before = view.split;
      view.splitTo(release, part);
      const after = view.split;
      if (!isSame(before, after))
        events.append({ type: 'traffic.split', application, release, part: after?.part ?? 0 });
      return evaluateNow(view);
    },
    awaitedTrials: (application, release) => known(application).awaitedTrials(release),
    outcomes(application, since) {
      const view = applications.get(application);
      return view === undefined ? [] : outcomesOf(view, since);
    },
    withdrawRelease(application, platform, release) {
      const view = known(application);
      view.platforms.get(platform)?.withdraw(release);
      return evaluateNow(view);
    },
    retireOrigins(application, origins) {
      const view = known(application);
      for (const platform of view.platforms.values()) platform.retire(origins);
      return evaluateNow(view);
    },
    offers(application, platform, release) {
      const view = known(application).platforms.get(platform);
      const route = table.routes.find((candidate) => candidate.application === application);
      return (route?.targets ?? []).some(
        (target) =>
          target.platform === platform &&
          target.trial !== true &&
          (target.release === release ||
            target.origins.some(({ id }) => view?.health(id).answered[0] === release)),
      );
    },
    exchange(application, platform, isUnderWay) {
      const view = applications.get(application);
      const found = view?.platforms.get(platform);
      if (view === undefined || found === undefined || found.isExchanged === isUnderWay) return;
      found.isExchanged = isUnderWay;
      evaluateSoon(view);
    },
    isUp(application, origin) {
      const views = [...(applications.get(application)?.platforms.values() ?? [])];
      return views.some((view) => view.origins().includes(origin) && view.health(origin).state === 'up');
    },
    order(acts) {
      ordered = acts;
      for (const view of applications.values()) view.order(acts);
      evaluate(applications.values());
    },
    promoted(application, epoch) {
      // It took a while; the application may have left the configuration meanwhile.
      const view = applications.get(application);
      if (view === undefined) return;
      view.promoted(epoch);
      evaluateNow(view);
    },
    unfreeze(application) {
      known(application).unfreeze();
      evaluateNow(known(application));
    },
    stateIs(state) {
      if (state !== self.state) knowSelf({ ...self, state });
    },
    recall(application, what) {
      recalled.set(application, what);
      applications.get(application)?.recall(what, clock.now());
    },
    capacityTook(application, platform, ms) {
      const view = applications.get(application)?.platforms.get(platform);
      if (view !== undefined) view.timeToCapacityMs = ms;
    },
    decision: (application) => applications.get(application)?.decision,
    insight(application) {
      const view = applications.get(application);
      const decision = view?.decision;
      return view && decision && { facts: view.facts(clock.now()), state: view.memory, decision };
    },
    onIntents: intents.event,
    surpass(version) {
      if (version <= floor) return;
      floor = version;
      publish();
    },
    get table() {
      return table;
    },
    onTable: tables.event,
    get watched() {
      return watched;
    },
    onWatched: watches.event,
    verdicts() {
      return Object.fromEntries(
        [...applications].map(([name, { platforms }]) => [
          name,
          Object.fromEntries([...platforms].map(([platform, { verdict }]) => [platform, verdict])),
        ]),
      );
    },
    explain(application) {
      const view = applications.get(application);
      return view && explanationOf(view, clock.now());
    },
    statusOf(application) {
      const view = applications.get(application);
      return view && statusOf(view, platforms, clock.now());
    },
    async start() {
      if (tick !== undefined) return;
      tick = clock.every(TICK_MS, () => evaluate(dueNow()));
      // All at once: what was heard before needs no turn of its own.
      dirty.clear();
      evaluate(applications.values());
    },
    async close() {
      tick?.();
      soon?.();
      tick = undefined;
      soon = undefined;
    },
  };
}

function viewOf(settings: ApplicationSettings, deps: EngineDeps): ApplicationView {
  const now = deps.clock.now();
  const platforms = settings.targets.map((target) => {
    const releaseMatters = deps.platforms[target.platform]?.provider !== 'static';
    return new PlatformView(target, {
      ...{ judge: deps.judge, rules: settings.health, releaseMatters, now },
      limits: settings.policy.degraded,
    });
  });
  const view = new ApplicationView(settings, platforms, {
    decide: deps.decide,
    attribute: deps.judge.attribute,
    readiness: deps.judge.readiness,
    drillOf: (platform) => deps.drillOf?.(settings.name, platform),
  });
  if (deps.lastTable !== undefined) view.resume(deps.lastTable, now);
  return view;
}

/** Another provider under the same name speaks of other things, even if it says the same of them. */
function sameKind(a: EngineDeps['platforms'], b: EngineDeps['platforms'], platform: PlatformName): boolean {
  return a[platform]?.provider === b[platform]?.provider;
}

function sharesOf(
  views: Iterable<ApplicationView>,
): Readonly<Record<ApplicationName, Readonly<Record<PlatformName, number>>>> {
  return Object.fromEntries([...views].map((view) => [view.settings.name, view.decision?.shares ?? {}]));
}
