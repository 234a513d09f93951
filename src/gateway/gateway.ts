import type { Clock, Dispose, Event, Logger, Random, Runnable } from '../core/ports.ts';
import { EMPTY_TABLE, type RoutingTable } from '../core/routing-table.ts';
import type { GatewaySettings } from '../core/settings.ts';
import type { EjectionReason, EjectionSignal, TrafficSignal } from '../core/signals.ts';
import { emitter } from '../lib/emitter.ts';
import { createCompatWire } from './compat/wire.ts';
import { Counters, type GatewayCounters } from './counters.ts';
import { Ejector } from './ejector.ts';
import { Exchange } from './exchange.ts';
import { createFreshProbe } from './fresh-probe.ts';
import { createHttp1Wire } from './http1/wire.ts';
import type { Lane, OriginState } from './lane.ts';
import type { Pipeline } from './pipeline.ts';
import { LaneRegistry } from './registry.ts';
import { RetryBudget } from './retry-budget.ts';
import { StallWatch } from './stall.ts';
import type { Refusal, Wire } from './wire.ts';

/** Deadlines are looked at this often: a quarter of the shortest one. */
const SWEEP_MS = 50;
const REPORT_MS = 1_000;
/** A sweep this late means that we stood still ourselves; what came meanwhile has not been read yet. */
const LATE_MS = 3 * SWEEP_MS;

export interface GatewayDeps {
  readonly worker: number;
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: what `settings.wire` names. */
  readonly wire?: Wire;
}

export interface Gateway extends Runnable {
  /** New requests follow this table from the moment it returns; running exchanges finish where they are. */
  swap(table: RoutingTable): void;
  /** What another worker found. */
  applyEjection(ejection: EjectionSignal): void;
  /** In the order of `settings.listen`, once started. */
  readonly ports: readonly number[];
  /** Every second; only origins with attempts or requests in flight. */
  readonly onTraffic: Event<readonly TrafficSignal[]>;
  readonly onEjection: Event<EjectionSignal>;
  /** A table version: no exchange that began under an earlier one still uses an origin this one lacks. */
  readonly onDrained: Event<number>;
  metrics(): GatewayCounters;
}

/** The data path of one worker: reads a table, reports outcomes, and waits for nobody. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { worker, settings, clock, random, logger } = deps;
  const wire = deps.wire ?? createWire(settings, clock);
  const traffic = emitter<readonly TrafficSignal[]>();
  const drained = emitter<number>();
  const exchanges = new Set<Exchange>();
  const counters = new Counters();
  const budget = new RetryBudget(settings.retryBudget);
  const registry = new LaneRegistry(settings, random, (origin) => wire.retire(origin));
  const ejector = new Ejector(clock, worker, () => pipeline.table);
  const stall = new StallWatch(createFreshProbe(clock), settings.stall.probeMs, stalled);
  const timers: Dispose[] = [];
  let ports: readonly number[] = [];
  let coarseNow = clock.monotonic();
  let wasLate = false;
  let onIdle: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  const pipeline: Pipeline = {
    table: registry.compile(EMPTY_TABLE),
    settings,
    wire,
    random,
    budget,
    counters,
    stall,
    now: () => clock.monotonic(),
    get coarseNow() {
      return coarseNow;
    },
    eject(lane, reason) {
      if (ejector.eject(lane, reason)) logEjection(lane, reason);
    },
    readmitted(lane) {
      ejector.readmitted(lane);
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
    finished(exchange) {
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
    evacuate(origin);
  }

  function evacuate(origin: OriginState): void {
    // A copy: an exchange that moves may end on the spot.
    for (const exchange of [...exchanges]) {
      if (exchange.attempt?.lane.origin === origin) exchange.evacuate();
    }
  }

  function sweep(): void {
    const now = clock.monotonic();
    wasLate = !wasLate && now - coarseNow > LATE_MS;
    coarseNow = now;
    if (wasLate) return;
    for (const exchange of [...exchanges]) exchange.sweep(now);
  }

  function report(): void {
    const at = clock.now();
    const now = clock.monotonic();
    const signals: TrafficSignal[] = [];
    for (const lane of registry.lanes()) {
      lane.renewStallLimit(now, settings.stall);
      const { attempts, counts, p50Ms, p95Ms } = lane.outcomes.take();
      const { inFlight } = lane.gate;
      if (attempts === 0 && inFlight === 0) continue;
      const { application, id: origin } = lane;
      const { platform } = lane.origin;
      signals.push({
        kind: 'traffic',
        at,
        windowMs: REPORT_MS,
        worker,
        application,
        platform,
        origin,
        counts,
        p50Ms,
        p95Ms,
        inFlight,
      });
    }
    if (signals.length > 0) traffic.fire(signals);
  }

  function accept(downstream: Parameters<Parameters<Wire['listen']>[1]>[0]): void {
    const exchange = new Exchange(pipeline, downstream);
    exchanges.add(exchange);
    budget.active = exchanges.size;
    exchange.begin();
  }

  /** A wire has answered itself what it could not offer. */
  function unoffered({ status, why, peer }: Refusal): void {
    counters.finished(status);
    logger.debug({ status, why, client: peer.address }, 'answered in place of the application');
  }

  async function drainAndClose(): Promise<void> {
    wire.drain();
    if (exchanges.size > 0) {
      const expired = new Promise<void>((resolve) =>
        timers.push(clock.after(settings.timeouts.drainMs, resolve)),
      );
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      await Promise.race([idle, expired]);
    }
    for (const exchange of [...exchanges]) exchange.abort();
    for (const dispose of timers) dispose();
    await wire.close();
  }

  return {
    name: `gateway worker ${worker}`,
    get ports() {
      return ports;
    },
    onTraffic: traffic.event,
    onEjection: ejector.onEjection,
    onDrained: drained.event,
    async start() {
      try {
        ports = await wire.listen(settings.listen, accept, unoffered);
      } catch (error) {
        await wire.close();
        throw error;
      }
      timers.push(clock.every(SWEEP_MS, sweep), clock.every(REPORT_MS, report));
    },
    swap(table) {
      pipeline.table = registry.compile(table);
      if (registry.drained) return drained.fire(table.version);
      const cutAt = clock.monotonic() + settings.timeouts.drainMs;
      for (const exchange of exchanges) {
        const lane = exchange.attempt?.lane;
        if (lane !== undefined && registry.isLeaving(lane)) exchange.cutBy(cutAt);
      }
    },
    applyEjection(signal) {
      ejector.apply(registry.origins, signal);
      if (signal.reason !== 'stall') return;
      for (const origin of [...registry.origins]) {
        if (origin.wire.id === signal.origin) evacuate(origin);
      }
    },
    metrics: () => counters.read(exchanges.size),
    close() {
      closing ??= drainAndClose();
      return closing;
    },
  };
}

function createWire(settings: GatewaySettings, clock: Clock): Wire {
  return settings.wire === 'compat' ? createCompatWire(settings, clock) : createHttp1Wire(settings, clock);
}
