import type {
  Clock,
  Dispose,
  Event,
  Logger,
  NameResolver,
  OpenLines,
  Random,
  Runnable,
} from '../core/ports.ts';
import { EMPTY_TABLE, type RoutingTable } from '../core/routing-table.ts';
import type { GatewaySettings } from '../core/settings.ts';
import type { DemandSignal, EjectionReason, EjectionSignal, TrafficSignal } from '../core/signals.ts';
import { emitter } from '../lib/emitter.ts';
import { NameBook } from '../lib/name-book.ts';
import { createSystemNames } from '../lib/system-names.ts';
import { createTrust } from '../lib/tls-trust.ts';
import { TurnClock } from '../lib/turn-clock.ts';
import { AccessLog } from './access-log.ts';
import { AffinityCookies } from './affinity.ts';
import { createLateCompatWire } from './compat/late-wire.ts';
import { NO_CONNECTIONS } from './connection-tally.ts';
import { Counters, type GatewayCounters } from './counters.ts';
import { Ejector } from './ejector.ts';
import { evacuate } from './evacuation.ts';
import { Exchange } from './exchange.ts';
import { createFreshProbe, type FreshProbe } from './fresh-probe.ts';
import { createHttp1Wire } from './http1/wire.ts';
import { type Lane, type OriginState, perWorker } from './lane.ts';
import { OwnLateness } from './lateness.ts';
import { OpenExchanges } from './open-exchanges.ts';
import { OutagePages } from './outage-pages.ts';
import type { Pipeline } from './pipeline.ts';
import { PlaceQueue } from './place-queue.ts';
import { RateLimits } from './rate-limits.ts';
import { Reception } from './reception.ts';
import { LaneRegistry, namesIn } from './registry.ts';
import { RetryBudget } from './retry-budget.ts';
import { demandOf } from './route-tally.ts';
import { StallWatch } from './stall.ts';
import { trafficOf } from './traffic-report.ts';
import { CLOSING_MS } from './transfer.ts';
import type { Refusal, Wire } from './wire.ts';

/** Deadlines are looked at this often: a quarter of the shortest one. */
const SWEEP_MS = 50;
const REPORT_MS = 1_000;
/** A sweep this late means that we stood still ourselves; what came meanwhile has not been read yet. */
const LATE_MS = 3 * SWEEP_MS;
/** The old table serves on this long while names that only the new one has are looked up. */
const NAMES_WAIT_MS = 1_000;

export interface GatewayDeps {
  readonly worker: number;
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: what `settings.wire` names. */
  readonly wire?: Wire;
  /** For the access log; without it there is none. */
  readonly openLines?: OpenLines;
  /** Default: the system's. */
  readonly names?: NameResolver;
  /** Default: a connection of its own. */
  readonly probe?: FreshProbe;
}

export interface Gateway extends Runnable {
  /**
   * New requests follow this table from `onApplied` on: at once, unless it has names that were never looked up, which
   * it waits for a little while another table serves. Running exchanges finish where they are.
   */
  swap(table: RoutingTable): void;
  /**
   * Other settings, while it serves: running exchanges see them at their next step, new connections at once. Resolves
   * with the ports; rejects when we cannot listen so, and then nothing has changed.
   */
  apply(settings: GatewaySettings): Promise<readonly number[]>;
  /** The access log was moved away: what follows goes into a new file. */
  reopenLogs(): void;
  /** What another worker found. */
  applyEjection(ejection: EjectionSignal): void;
  /** In the order of `settings.listen`, once started. */
  readonly ports: readonly number[];
  /** Every second; only origins with attempts or requests in flight. */
  readonly onTraffic: Event<readonly TrafficSignal[]>;
  /** Every second, of applications whose routes are told apart or of which something was shed. */
  readonly onDemand: Event<readonly DemandSignal[]>;
  readonly onEjection: Event<EjectionSignal>;
  /** A table version: new requests follow it. */
  readonly onApplied: Event<number>;
  /** A table version: no exchange that began under an earlier one still uses an origin this one lacks. */
  readonly onDrained: Event<number>;
  metrics(): GatewayCounters;
  /**
   * Takes nobody new, and closes when what is under way has ended or `timeouts.drainMs` is over. Patiently, where
   * others take the new connections: idle ones too get as long for one more request.
   */
  close(patiently?: boolean): Promise<void>;
}

/** The data path of one worker: reads a table, reports outcomes, and waits for nobody. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { worker, clock, random, logger } = deps;
  let { settings } = deps;
  const time = new TurnClock(clock);
  const wire = deps.wire ?? createWire(settings, clock, time);
  const traffic = emitter<readonly TrafficSignal[]>();
  const demand = emitter<readonly DemandSignal[]>();
  const applied = emitter<number>();
  const drained = emitter<number>();
  const exchanges = new OpenExchanges();
  const counters = new Counters();
  const budget = new RetryBudget(budgetRules(settings));
  const places = new PlaceQueue(() => perWorker(settings, settings.limits.queue));
  const names = new NameBook(
    { resolver: deps.names ?? createSystemNames(), clock, random, logger },
    settings.timeouts.dnsMs,
    nameChanged,
  );
  const registry = new LaneRegistry({
    settings,
    random,
    addresses: (name) => names.addresses(name),
    retire: (origin) => wire.retire(origin),
  });
  const ejector = new Ejector(clock, worker, () => pipeline.table);
  const reception = new Reception(settings, random);
  const rateLimits = new RateLimits(random);
  const affinity = new AffinityCookies(settings, random);
  const pages = new OutagePages(settings);
  const accessLog = new AccessLog(clock, deps.openLines);
  const stall = new StallWatch(
    deps.probe ?? createFreshProbe(clock, createTrust()),
    settings.stall.probeMs,
    stalled,
  );
  const timers: Dispose[] = [];
  let ports: readonly number[] = [];
  let table = EMPTY_TABLE;
  /** The next one, as long as its names are looked up. */
  let awaited: { readonly table: RoutingTable; readonly stop: Dispose } | undefined;
  const lateness = new OwnLateness(SWEEP_MS, clock.monotonic());
  let wasLate = false;
  let onIdle: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  const pipeline: Pipeline = {
    table: registry.compile(EMPTY_TABLE),
    settings,
    wire,
    random,
    budget,
    reception,
    rateLimits,
    affinity,
    pages,
    notesAttempts: false,
    counters,
    stall,
    places,
    lateness,
    now: () => time.monotonic(),
    coarseNow: clock.monotonic(),
    eject(lane, reason) {
      if (ejector.eject(lane, reason)) logEjection(lane, reason);
    },
    readmitted(lane) {
      ejector.readmitted(lane);
      places.changed();
      logger.info({ origin: lane.id, application: lane.application }, 'origin serves again');
    },
    refused({ method, host, target }, status, why) {
      // Queries hold what is nobody's business.
      const path = target.split('?', 1)[0];
      logger.debug({ status, why, method, host, path }, 'answered in place of the application');
    },
    left(lane) {
      if (registry.left(lane)) drained.fire(pipeline.table.version);
    },
    finished(exchange, record) {
      counters.closed(record);
      accessLog.write(record);
      exchanges.delete(exchange);
      budget.active = exchanges.size;
      if (exchanges.size === 0) onIdle?.();
    },
  };

  function logEjection(lane: Lane, reason: EjectionReason): void {
    logger.warn({ origin: lane.id, application: lane.application, reason }, 'origin ejected');
  }

  function stalled(origin: OriginState): void {
    const [lane] = origin.lanes;
    if (lane !== undefined && ejector.eject(lane, 'stall')) logEjection(lane, 'stall');
    // Also when it may not be ejected for want of a better one: who waits there may still find an ejected origin alive.
    evacuate(exchanges.snapshot(), origin);
  }

  function sweep(): void {
    const now = clock.monotonic();
    wasLate = !wasLate && now - pipeline.coarseNow > LATE_MS;
    pipeline.coarseNow = now;
    lateness.tick(now);
    if (wasLate) return;
    for (const exchange of exchanges.snapshot()) exchange.sweep(now);
  }

  function report(): void {
    const now = clock.monotonic();
    for (const lane of registry.lanes()) lane.renewStallLimit(now, settings.stall);
    const window = { at: clock.now(), windowMs: REPORT_MS, worker };
    const signals = trafficOf(registry.lanes(), pipeline.table.comparing, window);
    if (signals.length > 0) traffic.fire(signals);
    const asked = demandOf(pipeline.table.routes, window);
    if (asked.length > 0) demand.fire(asked);
  }

  function accept(downstream: Parameters<Parameters<Wire['listen']>[1]>[0]): void {
    const exchange = new Exchange(pipeline, downstream);
    exchanges.add(exchange);
    budget.active = exchanges.size;
    exchange.begin();
  }

  /** A wire has answered itself what it could not offer. */
  function unoffered(refusal: Refusal): void {
    const { status, why, peer } = refusal;
    const record = reception.refuse(refusal, clock.monotonic());
    counters.finished(status);
    counters.flagged(record.flags);
    accessLog.write(record);
    logger.debug({ status, why, client: peer.address }, 'answered in place of the application');
  }

  function swap(next: RoutingTable): void {
    const wanted = namesIn(next);
    names.watch(wanted);
    awaited?.stop();
    awaited = undefined;
    const nobodyKnows = [...wanted].some((name) => names.isPending(name));
    if (nobodyKnows && table.version > 0) {
      awaited = { table: next, stop: clock.after(NAMES_WAIT_MS, () => follow(next)) };
    } else follow(next);
  }

  /** Another address of a name is another origin; one that a name stands for no more takes nothing new. */
  function nameChanged(): void {
    if (awaited === undefined) recompile();
    else if (![...namesIn(awaited.table)].some((name) => names.isPending(name))) {
      awaited.stop();
      follow(awaited.table);
    }
  }

  function recompile(): void {
    pipeline.table = registry.compile(table);
    rateLimits.follow(pipeline.table, settings);
    ejector.applyEarly(registry.origins);
    places.changed();
  }

  function follow(next: RoutingTable): void {
    awaited = undefined;
    table = next;
    recompile();
    applied.fire(next.version);
    if (registry.drained) {
      drained.fire(next.version);
      return;
    }
    const cutAt = clock.monotonic() + settings.timeouts.drainMs;
    for (const exchange of exchanges.snapshot()) {
      const lane = exchange.attempt?.lane;
      if (lane !== undefined && registry.isLeaving(lane)) exchange.cutBy(cutAt);
    }
  }

  /** No exchange is left, or the time is over. */
  async function settled(ms: number): Promise<void> {
    if (exchanges.size === 0) return;
    const expired = new Promise<void>((resolve) => timers.push(clock.after(ms, resolve)));
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve;
    });
    await Promise.race([idle, expired]);
  }

  async function drainAndClose(patiently: boolean): Promise<void> {
    if (patiently) {
      wire.drain(true);
      await clock.sleep(settings.timeouts.drainMs);
    }
    awaited?.stop();
    names.close();
    wire.drain();
    await settled(settings.timeouts.drainMs);
    let isClosing = false;
    for (const exchange of exchanges.snapshot()) isClosing = exchange.goAway() || isClosing;
    if (isClosing) await settled(CLOSING_MS);
    for (const exchange of exchanges.snapshot()) exchange.abort();
    for (const dispose of timers) dispose();
    await wire.close();
    await accessLog.close();
  }

  async function openAccessLog({ accessLog: wanted }: GatewaySettings): Promise<void> {
    await accessLog.tune(wanted);
    pipeline.notesAttempts = accessLog.isOn;
  }

  return {
    name: `gateway worker ${worker}`,
    get ports() {
      return ports;
    },
    onTraffic: traffic.event,
    onDemand: demand.event,
    onEjection: ejector.onEjection,
    onApplied: applied.event,
    onDrained: drained.event,
    async start() {
      try {
        await openAccessLog(settings);
        ports = await wire.listen(settings.listen, accept, unoffered);
      } catch (error) {
        await accessLog.close();
        await wire.close();
        throw error;
      }
      timers.push(clock.every(SWEEP_MS, sweep), clock.every(REPORT_MS, report));
    },
    swap,
    async apply(next) {
      // First what can fail.
      await openAccessLog(next);
      try {
        ports = await wire.relisten(next);
      } catch (error) {
        await openAccessLog(settings);
        throw error;
      }
      settings = next;
      pipeline.settings = next;
      budget.tune(budgetRules(next));
      stall.tune(next.stall.probeMs);
      registry.tune(next);
      reception.tune(next);
      affinity.tune(next);
      pages.tune(next);
      names.believe(next.timeouts.dnsMs);
      // What the settings say of TLS to origins holds from a table on.
      swap(awaited?.table ?? table);
      return ports;
    },
    applyEjection(signal) {
      ejector.apply(registry.origins, signal);
      if (signal.reason !== 'stall') return;
      for (const origin of [...registry.origins]) {
        if (origin.wire.id !== signal.origin) continue;
        if (signal.address === undefined || signal.address === origin.address) {
          evacuate(exchanges.snapshot(), origin);
        }
      }
    },
    reopenLogs: () => accessLog.reopen(),
    metrics: () =>
      counters.read({
        active: exchanges.size,
        queue: { waiting: places.length, refused: places.refused, timeouts: places.timeouts },
        names: names.counts,
        connections: wire.tally?.read() ?? NO_CONNECTIONS,
        inFlight: (application, platform) => registry.inFlight(application, platform),
      }),
    close(patiently = false) {
      closing ??= drainAndClose(patiently);
      return closing;
    },
  };
}

function budgetRules(settings: GatewaySettings): GatewaySettings['retryBudget'] {
  const { ratio, min } = settings.retryBudget;
  return { ratio, min: perWorker(settings, min) };
}

function createWire(settings: GatewaySettings, clock: Clock, time: TurnClock): Wire {
  if (settings.wire === 'compat') return createLateCompatWire(settings, clock);
  return createHttp1Wire(settings, clock, { time });
}
