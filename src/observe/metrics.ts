import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { WorkerCounters } from '../core/messages.ts';
import type { StatusView } from '../core/status.ts';

/** Every metric with its help text; docs/operating.md lists them and a test compares the two. */
export const METRICS = {
  sluice_target_share: 'share of new requests a platform gets, 0 to 1',
  sluice_target_up: '1 when the verdict is up or degraded, else 0',
  sluice_target_requests_per_second: 'attempts on a platform per second, last 10 s',
  sluice_target_error_ratio: 'failed attempts on a platform ÷ attempts, last 10 s',
  sluice_target_p95_seconds: '95th percentile of the time to the response head',
  sluice_target_instances: 'instances of a platform by state: running or desired',
  sluice_target_ejected_origins: 'origins that the workers do not send to right now',
  sluice_platform_api_up: '1 when the platform API answered the last read',
  sluice_table_version: 'version of the routing table last published',
  sluice_workers_ready: 'workers that serve',
  sluice_requests_total: 'requests answered to clients by status class; aborted: no whole answer went out',
  sluice_replays_total: 'attempts that were made again elsewhere',
  sluice_evacuations_total: 'requests taken off an origin that was ejected or stalled',
  sluice_replays_refused_total: 'replays not made because the retry budget was used up',
  sluice_active_requests: 'requests under way right now',
  sluice_upgrades: 'upgraded connections (WebSocket) open right now',
} as const satisfies Record<string, string>;

export type MetricName = keyof typeof METRICS;

export interface Metrics {
  render(): Promise<string>;
  readonly contentType: string;
}

/** Rendered at scrape from the status everybody else sees too, and from what the workers counted. */
export function createMetrics(status: () => StatusView, counters: () => WorkerCounters): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'sluice_controller_' });
  const gauge = (name: MetricName, labels: string[]): Gauge =>
    new Gauge({ name, help: METRICS[name], labelNames: labels, registers: [registry] });
  const counter = (name: MetricName, labels: string[] = []): Counter =>
    new Counter({ name, help: METRICS[name], labelNames: labels, registers: [registry] });
  const target = ['application', 'platform'];
  const share = gauge('sluice_target_share', target);
  const up = gauge('sluice_target_up', target);
  const rps = gauge('sluice_target_requests_per_second', target);
  const errors = gauge('sluice_target_error_ratio', target);
  const p95 = gauge('sluice_target_p95_seconds', target);
  const instances = gauge('sluice_target_instances', [...target, 'state']);
  const ejected = gauge('sluice_target_ejected_origins', target);
  const api = gauge('sluice_platform_api_up', target);
  const table = gauge('sluice_table_version', []);
  const workers = gauge('sluice_workers_ready', []);
  const active = gauge('sluice_active_requests', []);
  const upgrades = gauge('sluice_upgrades', []);
  const requests = counter('sluice_requests_total', ['class']);
  const replays = counter('sluice_replays_total');
  const evacuations = counter('sluice_evacuations_total');
  const refused = counter('sluice_replays_refused_total');
  const perTarget = [share, up, rps, errors, p95, instances, ejected, api];

  function refresh(): void {
    const view = status();
    // A platform that left the configuration must leave the metrics too.
    for (const one of perTarget) one.reset();
    table.set(view.tableVersion);
    workers.set(view.workers.ready);
    for (const application of view.applications) {
      for (const platform of application.platforms) {
        const labels = { application: application.name, platform: platform.name };
        share.set(labels, platform.share);
        up.set(labels, platform.verdict.state === 'up' || platform.verdict.state === 'degraded' ? 1 : 0);
        rps.set(labels, platform.rps);
        errors.set(labels, platform.errorRate);
        p95.set(labels, platform.p95Ms / 1000);
        ejected.set(labels, platform.ejectedOrigins);
        if (platform.api) api.set(labels, platform.api.reachable ? 1 : 0);
        if (!platform.instances) continue;
        instances.set({ ...labels, state: 'running' }, platform.instances.running);
        instances.set({ ...labels, state: 'desired' }, platform.instances.desired);
      }
    }
  }

  function refreshCounters(): void {
    const counted = counters();
    active.set(counted.active);
    upgrades.set(counted.upgrades);
    // The workers count; here a total is only passed on.
    for (const one of [requests, replays, evacuations, refused]) one.reset();
    for (const [name, count] of Object.entries(counted.requests)) requests.inc({ class: name }, count);
    replays.inc(counted.replays);
    evacuations.inc(counted.evacuations);
    refused.inc(counted.refusedByBudget);
  }

  return {
    contentType: registry.contentType,
    render() {
      refresh();
      refreshCounters();
      return registry.metrics();
    },
  };
}
