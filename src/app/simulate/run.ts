import { decide } from '../../../policies/decide.ts';
import type { Decision, Shares } from '../../core/decision.ts';
import type { LoggedEvent } from '../../core/events.ts';
import { originId, type PlatformName } from '../../core/ids.ts';
import type { Intent } from '../../core/intent.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import type { SimulationScenario } from '../../core/scenario.ts';
import { type ApplicationSettings, DEFAULT_HEALTH, type PolicySettings } from '../../core/settings.ts';
import type { TrafficCounts } from '../../core/signals.ts';
import { createEngine, type Engine } from '../../engine/engine.ts';
import { healthJudge } from '../../health/verdicts.ts';
import { emitter } from '../../lib/emitter.ts';
import { type VirtualClock, virtualClock } from '../../lib/virtual-clock.ts';
import { bear, demandAt } from './load.ts';
import { SimulatedPlatform } from './platform.ts';
import { askedOf, demandSignal, type RouteSample, routeSamples, routesOf } from './routes.ts';

export const APPLICATION = 'simulated';
const SECOND_MS = 1_000;
const READ_MS = 2_000;
const WINDOWS_AT_MS = 10;
/** A worker stops sending there for this long; then it tries. */
const EJECTED_MS = 5_000;
/** Until a promoted writer may write. */
const PROMOTION_MS = 5_000;

/** One second of a simulation. */
export interface Sample {
  readonly atMs: number;
  readonly demandRps: number;
  readonly servedRps: number;
  readonly shares: Shares;
  readonly instances: Readonly<Record<PlatformName, number>>;
  readonly mode: Decision['mode'];
  /** By name; left out where the scenario names none. */
  readonly routes?: Readonly<Record<string, RouteSample>>;
}

export interface Simulation {
  readonly scenario: SimulationScenario;
  readonly policy: PolicySettings;
  readonly samples: readonly Sample[];
  readonly events: readonly LoggedEvent[];
  /** Part of all requests that nobody served. */
  readonly unserved: number;
  /** Changes of shares after the first. */
  readonly shifts: number;
}

/** Plays a scenario: the real engine, judge and policy over simulated platforms, on a virtual clock. */
export function simulate(policy: PolicySettings, scenario: SimulationScenario): Simulation {
  const steady = virtualClock(scenario.startAt);
  const clock = leaping(steady, scenario);
  const events: LoggedEvent[] = [];
  const engine = engineFor(policy, scenario, clock, events);
  const platforms = scenario.platforms.map((given, index) => new SimulatedPlatform(given, index));
  const samples: Sample[] = [];
  const since = () => steady.now() - scenario.startAt;
  const cutOff = () => scenario.cutOff.some(({ fromMs, toMs }) => since() >= fromMs && since() < toMs);

  engine.onIntents(({ intents }) => {
    for (const intent of intents) obey(intent);
  });

  function obey(intent: Intent): void {
    if (intent.kind === 'scale') {
      const platform = platforms.find(({ name }) => name === intent.platform);
      if (platform?.at(since()).apiReachable) platform.scale(intent.instances, since());
    } else if (intent.kind === 'promote-writer') {
      const { data } = scenario;
      const commandMs = data.writes === 'single' && data.promote !== undefined ? PROMOTION_MS : 0;
      clock.after(commandMs, () => engine.promoted(APPLICATION, intent.epoch));
    }
  }

  function read(platform: SimulatedPlatform): void {
    const at = clock.now();
    const common = { kind: 'platform', at, application: APPLICATION, platform: platform.name } as const;
    const reachable = platform.at(since()).apiReachable && !cutOff();
    engine.accept(
      reachable
        ? { ...common, observation: platform.observation(at, since()) }
        : { ...common, observation: undefined, apiError: 'no answer' },
    );
  }

  function probe(platform: SimulatedPlatform): void {
    if (!engine.watched.some((watched) => watched.platform === platform.name)) return;
    const { path, latencyMs } = platform.at(since());
    const met = cutOff() ? 'timeout' : path;
    engine.accept({
      kind: 'probe',
      at: clock.now(),
      application: APPLICATION,
      platform: platform.name,
      origin: originId(platform.name, platform.url),
      probe: 'http',
      ok: met === 'ok' && latencyMs <= DEFAULT_HEALTH.timeoutMs,
      detail: met === 'ok' && latencyMs > DEFAULT_HEALTH.timeoutMs ? 'timeout' : met,
      latencyMs: met === 'timeout' ? DEFAULT_HEALTH.timeoutMs : latencyMs,
    });
  }

  function second(): void {
    const ms = since();
    const shares = engine.decision(APPLICATION)?.shares ?? {};
    const demandRps = demandAt(scenario, ms);
    const bearings = platforms.map((platform) => ({
      platform: platform.name,
      reachable: platform.at(ms).path === 'ok' && !cutOff(),
      capacity: platform.capacity(ms),
      errors: platform.at(ms).errors,
    }));
    const asked = askedOf(scenario, demandRps, engine.table);
    const wanted = asked.reduce((sum, { rps, shed }) => sum + rps * (1 - shed), 0);
    const { arrived, served } = bear(wanted, shares, bearings);
    for (const platform of platforms) {
      tellTraffic(platform, ms, arrived[platform.name] ?? 0, (shares[platform.name] ?? 0) * wanted);
    }
    engine.accept(demandSignal(APPLICATION, asked, { at: clock.now(), windowMs: SECOND_MS, worker: 1 }));
    engine.accept({ kind: 'self', at: clock.now(), egress: cutOff() ? 'failing' : 'ok', detail: '' });
    samples.push({
      atMs: ms,
      demandRps,
      // Cut off ourselves we see nothing, and the clients go on: what is lost then is no decision's fault.
      servedRps: cutOff() ? demandRps : served,
      shares,
      instances: Object.fromEntries(platforms.map((platform) => [platform.name, platform.running(ms)])),
      mode: engine.decision(APPLICATION)?.mode ?? 'normal',
      ...(scenario.routes.length === 0
        ? {}
        : { routes: routeSamples(asked, served / Math.max(1e-9, wanted)) }),
    });
  }

  /** What workers tell, and their reflex: who cannot be reached is ejected at once. */
  function tellTraffic(platform: SimulatedPlatform, ms: number, rps: number, wanted: number): void {
    const at = clock.now();
    const state = platform.at(ms);
    const origin = originId(platform.name, platform.url);
    const failed = Math.round(rps * state.errors);
    const lost = Math.round(Math.max(0, wanted - rps));
    const counts: TrafficCounts = {
      ok: Math.round(rps) - failed,
      status5xx: failed,
      connect: state.path === 'refused' ? lost : 0,
      tls: 0,
      timeout: 0,
      reset: 0,
      aborted: 0,
    };
    const p50Ms = rps > 0 ? platform.latency(ms, rps) : 0;
    const shared = { at, worker: 1, platform: platform.name, origin };
    const window = { ...shared, kind: 'traffic', windowMs: SECOND_MS, application: APPLICATION } as const;
    if (wanted > 0 || rps > 0) engine.accept({ ...window, counts, p50Ms, p95Ms: 3 * p50Ms, inFlight: 0 });
    if (wanted > 0 && (state.path === 'refused' || state.path === 'timeout') && !cutOff()) {
      const reason = state.path === 'refused' ? 'refused' : 'stall';
      engine.accept({ ...shared, kind: 'ejection', reason, until: at + EJECTED_MS });
    }
  }

  schedule(clock, scenario, engine);
  void engine.start();
  platforms.forEach((platform, index) => {
    clock.after(70 * index, () => {
      read(platform);
      clock.every(READ_MS, () => read(platform));
      clock.after(50, () => {
        probe(platform);
        clock.every(DEFAULT_HEALTH.everyMs, () => probe(platform));
      });
    });
  });
  // Not with the engine's ticks, which would see nine windows of ten.
  clock.after(WINDOWS_AT_MS, () => clock.every(SECOND_MS, second));
  for (const { fromMs, toMs } of scenario.stateLost) {
    clock.after(fromMs, () => engine.stateIs('lost'));
    clock.after(toMs, () => engine.stateIs('ok'));
  }
  steady.advance(scenario.durationMs);
  void engine.close();
  return summarise(policy, scenario, samples, events);
}

/** The same clock with a calendar that leaps when the scenario says so. */
function leaping(steady: VirtualClock, { clockJumps }: SimulationScenario): Clock {
  let leapt = 0;
  for (const { atMs, byMs } of clockJumps) {
    steady.after(atMs, () => {
      leapt += byMs;
    });
  }
  return { ...steady, now: () => steady.now() + leapt };
}

/** Acts and releases of the scenario, at their time. */
function schedule(clock: Clock, scenario: SimulationScenario, engine: Engine): void {
  const acts = scenario.acts.map(({ kind, platform, fromMs, toMs }, index) => ({
    id: `act-${index + 1}`,
    kind,
    platform,
    application: undefined,
    who: 'scenario',
    reason: '',
    since: scenario.startAt + fromMs,
    until: scenario.startAt + toMs,
  }));
  // The engine looks at its clock to see which are in force.
  engine.order(acts);
  engine.allowReleases(APPLICATION, ['r-0']);
  scenario.releases.forEach((ms, index) => {
    clock.after(ms, () => engine.allowReleases(APPLICATION, [`r-${index + 1}`]));
  });
}

function engineFor(
  policy: PolicySettings,
  scenario: SimulationScenario,
  clock: Clock,
  kept: LoggedEvent[],
): Engine {
  const fired = emitter<LoggedEvent>();
  const application: ApplicationSettings = {
    name: APPLICATION,
    source: undefined,
    process: { command: '', instances: 1, memoryBytes: 0 },
    env: {},
    secretEnv: [],
    health: DEFAULT_HEALTH,
    data: scenario.data,
    routes: routesOf(scenario),
    targets: scenario.platforms.map(({ target }) => target),
    policy,
    startTimeoutMs: 60_000,
  };
  return createEngine({
    applications: [application],
    // As if they ran anyhow: a simulation is about traffic, not about which release answers.
    platforms: Object.fromEntries(
      scenario.platforms.map(({ target: { platform } }) => [
        platform,
        { name: platform, provider: 'static', options: {} },
      ]),
    ),
    clock,
    logger: SILENT,
    events: {
      append(event) {
        // By the steady clock: a timeline whose times leap is hard to read.
        const logged = { ...event, seq: kept.length + 1, at: scenario.startAt + clock.monotonic() };
        kept.push(logged);
        fired.fire(logged);
        return logged;
      },
      since: (seq) => kept.filter((event) => event.seq > seq),
      onEvent: fired.event,
    },
    decide,
    judge: healthJudge,
  });
}

function summarise(
  policy: PolicySettings,
  scenario: SimulationScenario,
  samples: readonly Sample[],
  events: readonly LoggedEvent[],
): Simulation {
  const demanded = samples.reduce((total, { demandRps }) => total + demandRps, 0);
  const served = samples.reduce((total, { servedRps }) => total + servedRps, 0);
  const decisions = events.filter(({ type }) => type === 'decision.made').length;
  return {
    scenario,
    policy,
    samples,
    events,
    unserved: demanded === 0 ? 0 : Math.max(0, 1 - served / demanded),
    // The first decision is where it begins.
    shifts: Math.max(0, decisions - 1),
  };
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
