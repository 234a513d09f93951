import { describe, expect, it } from '@jest/globals';
import type { ApplicationStatus, TrialStatus } from '../../src/core/status.ts';
import { createMetrics, METRICS } from '../../src/observe/metrics.ts';
import { platform } from '../dashboards/shop-status.ts';
import { COUNTERS, STATUS } from './admin.ts';

function shopTrying(trial: TrialStatus | undefined): ApplicationStatus {
  const cf = platform('cf', { share: 1, ...(trial === undefined ? {} : { trial }) });
  return { name: 'shop', release: undefined, demandRps: 0, platforms: [cf] };
}

describe('metrics', () => {
  const render = (): Promise<string> =>
    createMetrics(
      () => STATUS,
      () => COUNTERS,
    ).render();

  it('has a cumulative latency histogram for each platform, and none for our own answers', async () => {
    const text = await render();
    const name = 'sluice_request_duration_seconds';
    const line = (rest: string): string => `${name}${rest}`;
    expect(text).toContain(`# TYPE ${name} histogram\n`);
    for (const [le, count] of [
      ['0.001', 10],
      ['0.01', 10],
      ['0.025', 40],
      ['30', 40],
      ['+Inf', 43],
    ]) {
      expect(text).toContain(line(`_bucket{application="shop",platform="cf-eu",le="${le}"} ${count}\n`));
    }
    expect(text).toContain(line('_sum{application="shop",platform="cf-eu"} 90.25\n'));
    expect(text).toContain(line('_count{application="shop",platform="cf-eu"} 43\n'));
    expect(text).not.toMatch(new RegExp(`^${name}.*platform=""`, 'm'));
  });

  it('passes on what the workers counted, each time anew', async () => {
    const metrics = createMetrics(
      () => STATUS,
      () => COUNTERS,
    );
    await metrics.render();
    const text = await metrics.render();
    for (const line of [
      'sluice_target_responses_total{application="shop",platform="cf-eu",class="2xx"} 40',
      'sluice_target_responses_total{application="shop",platform="",class="aborted"} 3',
      'sluice_target_in_flight{application="shop",platform="cf-eu"} 5',
      'sluice_response_flags_total{flag="UF"} 2',
      'sluice_replays_total{cause="connect"} 3',
      'sluice_queue_waiting 9',
      'sluice_queue_refused_total 10',
      'sluice_queue_timeouts_total 11',
      'sluice_name_failures_total 12',
      'sluice_names_failing 13',
      'sluice_connections 12',
      'sluice_connections_total 13',
      'sluice_connections_refused_total 14',
      'sluice_tls_handshakes_total 15',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
  });

  it('tells what a release met that is tried, as long as it is', async () => {
    const trial = {
      ...{ release: { id: 'r-2' }, share: 0.05, rps: 4, errorRate: 0.25, p95Ms: 80 },
      instances: { running: 1, desired: 1 },
    };
    let view = { ...STATUS, applications: [shopTrying(trial)] };
    const metrics = createMetrics(
      () => view,
      () => COUNTERS,
    );
    const labels = '{application="shop",platform="cf",release="r-2"}';
    const text = await metrics.render();
    for (const line of ['share', 'error_ratio', 'requests_per_second', 'p95_seconds'])
      expect(text).toContain(`\nsluice_trial_${line}${labels} `);
    expect(text).toContain(`sluice_trial_p95_seconds${labels} 0.08\n`);
    view = { ...STATUS, applications: [shopTrying(undefined)] };
    expect(await metrics.render()).not.toContain(labels);
  });

  it('renders every metric it has a name for', async () => {
    const text = await render();
    for (const name of Object.keys(METRICS)) expect(text).toContain(`# HELP ${name} `);
  });
});
