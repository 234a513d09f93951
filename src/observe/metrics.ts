import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DriftStatus } from '../core/drift.ts';
import type { DrainCounts } from '../core/log-drain.ts';
import type { WorkerCounters } from '../core/messages.ts';
import type { ApplicationStatus, StatusView, TrialStatus } from '../core/status.ts';
import { LATENCY_BUCKETS_MS, STATUS_CLASSES, type TargetCounters } from '../core/traffic-counters.ts';
import { histogramRows } from './histogram-rows.ts';

/** Every metric with its help text; docs/operating.md lists them and a test compares the two. */
export const METRICS = {
  sluice_target_share: 'share of new requests a platform gets, 0 to 1',
  sluice_target_up: '1 when the verdict is up or degraded, else 0',
  sluice_target_requests_per_second: 'attempts on a platform per second, last 10 s',
  sluice_target_error_ratio: 'failed attempts on a platform ÷ attempts, last 10 s',
  sluice_target_p95_seconds: '95th percentile of the time to the response head',
  sluice_target_instances: 'instances of a platform by state: running or desired',
  sluice_target_cpu_cores: 'cores that one instance uses on average; absent where the platform does not tell',
  sluice_target_memory_bytes:
    'memory of all running instances together; absent where the platform does not tell',
  sluice_target_instance_restarts: 'restarts of the instances that are there now',
  sluice_target_ejected_origins: 'origins that the workers do not send to right now',
  sluice_target_time_to_capacity_seconds:
    'from the last order to scale a platform until all its instances served',
  sluice_target_coverage_ratio:
    'part of the demand that the others would carry if the platform died now, 0 to 1',
  sluice_target_drift_fields:
    'fields of a platform that are no longer as deployed, and things under our name that are not ours',
  sluice_target_heals: 'times a platform was put back as deployed within the last hour',
  sluice_application_frozen: '1 while automation is frozen until a person looks',
  sluice_route_requests_per_second:
    'what clients ask of a route, refused or not, where routes differ in priority; last ten seconds',
  sluice_route_shed_ratio:
    'part of the requests of a route answered 503 because there is no capacity, 0 to 1',
  sluice_application_shed_ratio: 'part of the requests answered 503 because there is no capacity, 0 to 1',
  sluice_application_writer_epoch:
    'epoch of the writer, by its platform; no platform: nobody takes unsafe requests',
  sluice_platform_api_up: '1 when the platform API answered the last read',
  sluice_table_version: 'version of the routing table last published',
  sluice_workers_ready: 'workers that serve',
  sluice_requests_total: 'requests answered to clients by status class; aborted: no whole answer went out',
  sluice_target_responses_total:
    'requests by the platform that had them last and by status class; no platform: nobody was asked',
  sluice_request_duration_seconds:
    'first byte of a request to the last of its answer, by platform; without tunnels and event streams',
  sluice_target_in_flight: 'requests a platform has right now',
  sluice_response_flags_total: 'requests by why they ended as they did; one may have several flags',
  sluice_replays_total: 'attempts that were made again, by what was wrong with the one before',
  sluice_evacuations_total: 'requests taken off an origin that was ejected or stalled',
  sluice_replays_refused_total: 'replays not made because the retry budget was used up',
  sluice_active_requests: 'requests under way right now',
  sluice_upgrades: 'upgraded connections (WebSocket) open right now',
  sluice_trial_share: 'share of new requests for a release that is tried, 0 to 1',
  sluice_trial_requests_per_second: 'attempts per second on a release that is tried, last 10 s',
  sluice_trial_error_ratio: 'failed attempts divided by attempts on a release that is tried, last 10 s',
  sluice_trial_p95_seconds: '95th percentile of the time to the response head of a release that is tried',
  sluice_queue_waiting: 'requests that wait for a place at a full origin right now',
  sluice_queue_refused_total: 'requests that found the queue full',
  sluice_queue_timeouts_total: 'requests that waited in the queue for too long',
  sluice_name_failures_total: 'lookups of an origin name, over all workers, that brought no address',
  sluice_names_failing:
    'origin names, over all workers, that cannot be looked up now: old addresses are used',
  sluice_connections: 'connections of clients open right now',
  sluice_connections_total: 'connections of clients that were accepted',
  sluice_connections_refused_total: 'connections of clients over the limit of their address',
  sluice_log_drain_lines_total:
    'lines of an application for its log drain: sent, or dropped because nobody took them',
  sluice_log_drain_pending: 'lines that wait to be sent right now',
  sluice_log_drain_up: '1 while the log drain takes lines',
  sluice_tls_handshakes_total: 'TLS handshakes of clients that came to their end',
} as const satisfies Record<string, string>;

export type MetricName = keyof typeof METRICS;

export interface Metrics {
  render(): Promise<string>;
  readonly contentType: string;
}

/** Rendered at scrape from the status everybody else sees too, and from what the workers counted. */
export function createMetrics(
  status: () => StatusView,
  counters: () => WorkerCounters,
  drains: () => readonly DrainCounts[] = () => [],
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'sluice_controller_' });
  const gauge = (name: MetricName, labels: string[]): Gauge =>
    new Gauge({ name, help: METRICS[name], labelNames: labels, registers: [registry] });
  const counter = (name: MetricName, labels: string[] = []): Counter =>
    new Counter({ name, help: METRICS[name], labelNames: labels, registers: [registry] });
  const target = ['application', 'platform'];
  const route = ['application', 'host', 'path', 'priority'];
  const share = gauge('sluice_target_share', target);
  const up = gauge('sluice_target_up', target);
  const rps = gauge('sluice_target_requests_per_second', target);
  const errors = gauge('sluice_target_error_ratio', target);
  const p95 = gauge('sluice_target_p95_seconds', target);
  const instances = gauge('sluice_target_instances', [...target, 'state']);
  const cpu = gauge('sluice_target_cpu_cores', target);
  const memory = gauge('sluice_target_memory_bytes', target);
  const restarts = gauge('sluice_target_instance_restarts', target);
  const ejected = gauge('sluice_target_ejected_origins', target);
  const api = gauge('sluice_platform_api_up', target);
  const timeToCapacity = gauge('sluice_target_time_to_capacity_seconds', target);
  const coverage = gauge('sluice_target_coverage_ratio', target);
  const drifted = gauge('sluice_target_drift_fields', target);
  const heals = gauge('sluice_target_heals', target);
  const trials = createTrialGauges(gauge, target);
  const frozen = gauge('sluice_application_frozen', ['application']);
  const shed = gauge('sluice_application_shed_ratio', ['application']);
  const routeRps = gauge('sluice_route_requests_per_second', route);
  const routeShed = gauge('sluice_route_shed_ratio', route);
  const writerEpoch = gauge('sluice_application_writer_epoch', target);
  const drained = counter('sluice_log_drain_lines_total', ['application', 'outcome']);
  const drainPending = gauge('sluice_log_drain_pending', ['application']);
  const drainUp = gauge('sluice_log_drain_up', ['application']);
  const table = gauge('sluice_table_version', []);
  const workers = gauge('sluice_workers_ready', []);
  const active = gauge('sluice_active_requests', []);
  const upgrades = gauge('sluice_upgrades', []);
  const requests = counter('sluice_requests_total', ['class']);
  const responses = counter('sluice_target_responses_total', [...target, 'class']);
  const inFlight = gauge('sluice_target_in_flight', target);
  const flags = counter('sluice_response_flags_total', ['flag']);
  const durations = new CountedHistogram('sluice_request_duration_seconds', target, registry);
  const replays = counter('sluice_replays_total', ['cause']);
  const evacuations = counter('sluice_evacuations_total');
  const refused = counter('sluice_replays_refused_total');
  const waiting = gauge('sluice_queue_waiting', []);
  const queueRefused = counter('sluice_queue_refused_total');
  const queueTimeouts = counter('sluice_queue_timeouts_total');
  const nameFailures = counter('sluice_name_failures_total');
  const namesFailing = gauge('sluice_names_failing', []);
  const connections = gauge('sluice_connections', []);
  const accepted = counter('sluice_connections_total');
  const connectionsRefused = counter('sluice_connections_refused_total');
  const handshakes = counter('sluice_tls_handshakes_total');
  const counted = [
    ...[requests, responses, flags, replays, evacuations, refused, queueRefused, queueTimeouts, nameFailures],
    ...[accepted, connectionsRefused, handshakes, inFlight],
  ];
  const perTarget = [
    share,
    up,
    rps,
    errors,
    p95,
    instances,
    ejected,
    api,
    timeToCapacity,
    coverage,
    drifted,
    heals,
    cpu,
    memory,
    restarts,
    ...trials.gauges,
  ];
  const perApplication = [frozen, shed, writerEpoch, routeRps, routeShed];

  function refresh(): void {
    const view = status();
    // A platform that left the configuration must leave the metrics too.
    for (const one of [...perTarget, ...perApplication]) one.reset();
    table.set(view.tableVersion);
    workers.set(view.workers.ready);
    for (const application of view.applications) {
      refreshApplication(application);
      for (const platform of application.platforms) {
        const labels = { application: application.name, platform: platform.name };
        share.set(labels, platform.share);
        up.set(labels, platform.verdict.state === 'up' || platform.verdict.state === 'degraded' ? 1 : 0);
        rps.set(labels, platform.rps);
        errors.set(labels, platform.errorRate);
        p95.set(labels, platform.p95Ms / 1000);
        const { timeToCapacityMs } = platform;
        if (timeToCapacityMs !== undefined) timeToCapacity.set(labels, timeToCapacityMs / 1000);
        refreshDrift(labels, platform.drift);
        if (platform.trial !== undefined) trials.set(labels, platform.trial);
        const covered = application.coverage?.[platform.name];
        if (covered !== undefined) coverage.set(labels, covered);
        ejected.set(labels, platform.ejectedOrigins);
        const { usage = {} } = platform;
        if (usage.cpu !== undefined) cpu.set(labels, usage.cpu);
        if (usage.memoryBytes !== undefined) memory.set(labels, usage.memoryBytes);
        if (usage.restarts !== undefined) restarts.set(labels, usage.restarts);
        if (platform.api) api.set(labels, platform.api.reachable ? 1 : 0);
        if (!platform.instances) continue;
        instances.set({ ...labels, state: 'running' }, platform.instances.running);
        instances.set({ ...labels, state: 'desired' }, platform.instances.desired);
      }
    }
  }

  function refreshDrift(labels: Record<string, string>, drift: DriftStatus | undefined): void {
    if (drift === undefined || drift.state === 'outdated') return;
    drifted.set(labels, drift.fields.length + drift.foreign.length);
    heals.set(labels, drift.heals);
  }

  function refreshApplication({ name, writes, ...application }: ApplicationStatus): void {
    frozen.set({ application: name }, application.frozen === undefined ? 0 : 1);
    shed.set({ application: name }, application.shed ?? 0);
    for (const { host, path, priority, rps: asked, shed: part } of application.routes ?? []) {
      const labels = { application: name, host, path, priority: String(priority) };
      routeRps.set(labels, asked);
      routeShed.set(labels, part);
    }
    if (writes?.kind === 'single')
      writerEpoch.set({ application: name, platform: writes.writer ?? '' }, writes.epoch);
  }

  function refreshDrains(): void {
    for (const one of [drained, drainPending, drainUp]) one.reset();
    for (const { application, sent, dropped, pending, up: takes } of drains()) {
      drained.inc({ application, outcome: 'sent' }, sent);
      drained.inc({ application, outcome: 'dropped' }, dropped);
      drainPending.set({ application }, pending);
      drainUp.set({ application }, takes ? 1 : 0);
    }
  }

  function refreshCounters(): void {
    const all = counters();
    active.set(all.active);
    upgrades.set(all.upgrades);
    waiting.set(all.queue.waiting);
    namesFailing.set(all.names.failing);
    connections.set(all.connections.open);
    // The workers count; here a total is only passed on.
    for (const one of counted) one.reset();
    for (const [name, count] of Object.entries(all.requests)) requests.inc({ class: name }, count);
    for (const [flag, count] of Object.entries(all.flags)) flags.inc({ flag }, count);
    for (const [cause, count] of Object.entries(all.replaysBy)) replays.inc({ cause }, count);
    evacuations.inc(all.evacuations);
    refused.inc(all.refusedByBudget);
    queueRefused.inc(all.queue.refused);
    queueTimeouts.inc(all.queue.timeouts);
    nameFailures.inc(all.names.failures);
    accepted.inc(all.connections.accepted);
    connectionsRefused.inc(all.connections.refused);
    handshakes.inc(all.connections.handshakes);
    durations.targets = all.targets;
    for (const one of all.targets) refreshTarget(one);
  }

  function refreshTarget({ application, platform, classes, inFlight: now }: TargetCounters): void {
    const labels = { application, platform };
    for (const [i, name] of STATUS_CLASSES.entries()) {
      responses.inc({ ...labels, class: name }, classes[i] ?? 0);
    }
    if (platform !== '') inFlight.set(labels, now);
  }

  return {
    contentType: registry.contentType,
    render() {
      refresh();
      refreshCounters();
      refreshDrains();
      return registry.metrics();
    },
  };
}

/** A histogram that the workers have kept: what it says is what they counted last. */
class CountedHistogram extends Histogram {
  targets: readonly TargetCounters[] = [];
  readonly #name: MetricName;

  constructor(name: MetricName, labelNames: string[], registry: Registry) {
    const buckets = LATENCY_BUCKETS_MS.map((ms) => ms / 1_000);
    super({ name, help: METRICS[name], labelNames, buckets, registers: [registry] });
    this.#name = name;
  }

  /** What the registry asks for, and its types do not name. */
  async getForPromString(): Promise<object> {
    const name = this.#name;
    return { name, help: METRICS[name], type: 'histogram', values: histogramRows(name, this.targets) };
  }
}

/** Told apart by release: nothing of them is in the figures of their platform. */
function createTrialGauges(gauge: (name: MetricName, labels: string[]) => Gauge, target: readonly string[]) {
  const labels = [...target, 'release'];
  const share = gauge('sluice_trial_share', labels);
  const rps = gauge('sluice_trial_requests_per_second', labels);
  const errors = gauge('sluice_trial_error_ratio', labels);
  const p95 = gauge('sluice_trial_p95_seconds', labels);
  return {
    gauges: [share, rps, errors, p95],
    set(of: Readonly<Record<string, string>>, trial: TrialStatus): void {
      const named = { ...of, release: trial.release.id };
      share.set(named, trial.share);
      rps.set(named, trial.rps);
      errors.set(named, trial.errorRate);
      p95.set(named, trial.p95Ms / 1000);
    },
  };
}
