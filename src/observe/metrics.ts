import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
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
} as const satisfies Record<string, string>;

export type MetricName = keyof typeof METRICS;

/** Rendered at scrape from the status everybody else sees too: nothing is counted twice. */
export function createMetrics(status: () => StatusView): {
  render(): Promise<string>;
  readonly contentType: string;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'sluice_controller_' });
  const gauge = (name: MetricName, labels: string[]): Gauge =>
    new Gauge({ name, help: METRICS[name], labelNames: labels, registers: [registry] });
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

  return {
    contentType: registry.contentType,
    render() {
      refresh();
      return registry.metrics();
    },
  };
}
