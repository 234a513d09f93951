import { describe, expect, it } from '@jest/globals';
import { type DomainEvent, EVENT_TYPES, type EventType } from '../../src/core/events.ts';
import { describeEvent } from '../../src/events/describe.ts';

const on = (platform: string) => ({ application: 'shop', platform }) as const;
const deployment = { deployment: 'd-1', application: 'shop' } as const;

/** One of each type, with the line a person reads. */
const LINES: { readonly [T in EventType]: readonly [Extract<DomainEvent, { type: T }>, string] } = {
  'verdict.changed': [
    {
      type: 'verdict.changed',
      application: 'shop',
      platform: 'cf',
      from: 'up',
      to: 'down',
      cause: '3 probes failed: refused',
      evidence: ['a'],
    },
    'cf is down (was up): 3 probes failed: refused',
  ],
  'decision.made': [
    {
      type: 'decision.made',
      application: 'shop',
      shares: { cf: 0, rack: 1 },
      before: { cf: 0.6, rack: 0.4 },
      reasons: ['cf is down', 'rack carries all'],
    },
    'shop: cf 60 %, rack 40 % → cf 0 %, rack 100 %: cf is down; rack carries all',
  ],
  'table.published': [
    { type: 'table.published', version: 7, shares: { shop: { cf: 1 } } },
    'table 7 published',
  ],
  'traffic.split': [
    { type: 'traffic.split', application: 'shop', release: 'r-1', part: 0.125 },
    'shop: 12.5 % of every platform’s share goes to its trial of r-1',
  ],
  'task.started': [
    {
      ...{ type: 'task.started', application: 'shop', platform: 'cf', task: 'migrate', run: 'migrate-1' },
      ...{ release: 'r-1', trigger: 'release', deployment: 'd-1', again: true },
    },
    'shop: task migrate goes on on cf with r-1 (before it is promoted; run migrate-1)',
  ],
  'task.missed': [
    { type: 'task.missed', application: 'shop', task: 'report', dueAt: 0, why: 'nobody was there' },
    'shop: report did not run at 1970-01-01T00:00:00.000Z: nobody was there',
  ],
  'task.log': [
    { type: 'task.log', application: 'shop', platform: 'cf', run: 'h-1', text: 'one row' },
    'cf h-1 | one row',
  ],
  'task.finished': [
    {
      ...{ type: 'task.finished', application: 'shop', platform: 'cf', task: 'migrate', run: 'migrate-1' },
      ...{ outcome: 'failed', tookMs: 2_500 },
      error: { code: 'TASK_FAILED', message: 'task migrate failed', why: 'it exited with status 3' },
    },
    'shop: task migrate on cf failed after 2.5 s (run migrate-1): task migrate failed: it exited with status 3',
  ],
  'fault.attributed': [
    {
      type: 'fault.attributed',
      application: 'shop',
      culprit: 'router',
      platforms: ['cf'],
      summary: 'the router of cf does not serve',
      evidence: [],
      remedy: 'fail-over',
    },
    'shop: the router of cf does not serve (router; fail-over)',
  ],
  'failover.unready': [
    {
      type: 'failover.unready',
      application: 'shop',
      reasons: [
        'rack: its API refuses our credentials',
        'cf: if it dies the others carry 62 % of the demand',
      ],
    },
    'shop: would not survive failover because rack: its API refuses our credentials; cf: if it dies the others carry 62 % of the demand',
  ],
  'failover.ready': [{ type: 'failover.ready', application: 'shop' }, 'shop: would survive failover again'],
  'fault.over': [
    { type: 'fault.over', application: 'shop', culprit: 'router', platforms: ['cf'] },
    'shop: router of cf is seen no more',
  ],
  'shedding.changed': [
    {
      type: 'shedding.changed',
      application: 'shop',
      part: 0.4,
      by: [
        { priority: -5, part: 1 },
        { priority: 0, part: 0.4 },
        { priority: 10, part: 0 },
      ],
    },
    'shop: 40 % of the requests are answered 503 for want of capacity: 100 % of priority -5, 40 % of priority 0',
  ],
  'intent.raised': [
    {
      type: 'intent.raised',
      application: 'shop',
      intent: { kind: 'scale', platform: 'rack', instances: 4, reason: 'cf is missing' },
    },
    'shop: scale rack to 4 instances: cf is missing',
  ],
  'origin.ejected': [
    {
      type: 'origin.ejected',
      platform: 'cf',
      origin: 'cf/h:1',
      reason: 'refused',
      worker: 1,
      forMs: 5_000,
    },
    'worker 1 ejected cf/h:1 for 5.0 s: refused',
  ],
  'origin.readmitted': [
    { type: 'origin.readmitted', platform: 'cf', origin: 'cf/h:1', worker: 1 },
    'worker 1 sends to cf/h:1 again',
  ],
  'platform.api.down': [
    { type: 'platform.api.down', platform: 'cf', error: 'refused' },
    'cf: the API does not answer, traffic stays where it is: refused',
  ],
  'platform.api.up': [
    { type: 'platform.api.up', platform: 'cf', afterMs: 61_240 },
    'cf: the API answers again after 61.2 s',
  ],
  'deployment.started': [
    { type: 'deployment.started', ...deployment, release: 'r-1', number: 42, platforms: ['cf', 'rack'] },
    'd-1: deploying shop r42 (r-1) to cf, rack',
  ],
  'deployment.step': [
    { type: 'deployment.step', ...deployment, release: 'r-1', step: 1, of: 3, part: 0.05 },
    'shop: step 1/3: r-1 gets 5 % of the traffic on every platform',
  ],
  'deployment.waiting': [
    {
      type: 'deployment.waiting',
      ...deployment,
      platforms: ['rack'],
      message: 'cf is ready, waiting for rack',
    },
    'shop: cf is ready, waiting for rack',
  ],
  'deployment.gate': [
    {
      type: 'deployment.gate',
      ...deployment,
      ...{ release: 'r-1', step: 1, of: 3, state: 'failed', message: '5% of 200 requests failed' },
    },
    'shop: gate of step 1/3 failed: 5% of 200 requests failed',
  ],
  'deployment.takingBack': [
    {
      type: 'deployment.takingBack',
      ...deployment,
      release: 'r-1',
      error: { code: 'GATE_FAILED', message: 'it did worse', remedy: 'mend it' },
    },
    'shop: r-1 is taken back everywhere: it did worse — mend it',
  ],
  'deployment.progress': [
    {
      type: 'deployment.progress',
      ...deployment,
      platform: 'cf',
      phase: 'staging',
      message: 'uploading',
      elapsedMs: 900,
    },
    'cf staging: uploading (0.9 s)',
  ],
  'deployment.log': [
    { type: 'deployment.log', deployment: 'd-1', platform: 'cf', source: 'build', text: 'npm ci' },
    'cf build | npm ci',
  ],
  'deployment.target': [
    {
      type: 'deployment.target',
      ...deployment,
      platform: 'cf',
      outcome: 'live',
      firstInstanceMs: 2_000,
      allInstancesMs: 3_000,
      unproven: true,
    },
    'cf live (first instance 2.0 s, all 3.0 s, unproven: the application does not name its release)',
  ],
  'deployment.finished': [
    {
      type: 'deployment.finished',
      ...deployment,
      release: 'r-1',
      outcome: 'partly',
      elapsedMs: 4_000,
      seconds: { cf: 4 },
    },
    'd-1: shop r-1 partly after 4.0 s',
  ],
  'placement.ordered': [
    {
      type: 'placement.ordered',
      ...on('rack'),
      process: 'worker',
      from: 0,
      to: 1,
      reason: 'rack has traffic',
    },
    'shop: worker on rack goes from 0 to 1 instances: rack has traffic',
  ],
  'placement.waiting': [
    {
      ...{ type: 'placement.waiting', ...on('rack'), process: 'worker' },
      error: { code: 'LOCK_HELD', message: 'it has not stopped on cf yet' },
    },
    'shop: worker is not placed on rack yet: it has not stopped on cf yet',
  ],
  'drift.found': [
    {
      type: 'drift.found',
      ...on('rack'),
      fields: [
        { field: 'instances', from: '5', to: '2' },
        { field: 'env.LOG', from: '<secret>', to: '<secret>' },
        { field: 'env.MORE', from: '<secret>' },
        { field: 'route shop.example.com' },
      ],
      foreign: ['Service shop'],
    },
    'shop: rack is not as deployed: instances is 5 instead of 2, env.LOG was changed, env.MORE was added, route shop.example.com is gone and 1 more',
  ],
  'drift.healed': [
    {
      type: 'drift.healed',
      ...on('rack'),
      fields: [{ field: 'instances', from: '5', to: '2' }],
      tookMs: 1_200,
    },
    'shop: rack is put back as deployed after 1.2 s; found: instances is 5 instead of 2',
  ],
  'drift.gone': [{ type: 'drift.gone', ...on('rack') }, 'shop: rack is as deployed again, and not by us'],
  'drift.unhealed': [
    { type: 'drift.unhealed', ...on('rack'), error: { code: 'PLATFORM_QUOTA', message: 'no room' } },
    'shop: rack is not put back: no room',
  ],
  'scale.ordered': [
    { type: 'scale.ordered', ...on('rack'), from: 2, to: 4, reason: '100 % of 40 rps' },
    'shop: rack goes from 2 to 4 instances: 100 % of 40 rps',
  ],
  'scale.finished': [
    { type: 'scale.finished', ...on('rack'), to: 4, tookMs: 12_340 },
    'shop: rack serves with 4 instances after 12.3 s',
  ],
  'scale.waiting': [
    {
      type: 'scale.waiting',
      ...on('rack'),
      to: 4,
      error: { code: 'LOCK_HELD', message: 'somebody deploys' },
    },
    'shop: rack is not at 4 instances yet: somebody deploys',
  ],
  'scale.refused': [
    {
      type: 'scale.refused',
      ...on('rack'),
      to: 4,
      error: { code: 'PLATFORM_QUOTA', message: 'no room', why: 'memory', remedy: 'raise the quota' },
    },
    'shop: rack cannot go to 4 instances: no room: memory — raise the quota',
  ],
  'platform.event': [
    {
      type: 'platform.event',
      ...on('cf'),
      id: 'e-1',
      kind: 'audit.app.process.crash',
      text: 'process crash, instance 0',
      platformAt: Date.parse('2026-11-20T20:36:38Z'),
      count: 3,
    },
    'shop: cf says audit.app.process.crash: process crash, instance 0, 3 times (20:36:38 by its clock)',
  ],
  'power.ordered': [
    { type: 'power.ordered', ...on('rack'), act: 'stop', reason: 'ann: a new disk' },
    'shop: rack stops: ann: a new disk',
  ],
  'power.finished': [
    { type: 'power.finished', ...on('rack'), act: 'restart', process: 'worker', tookMs: 1_200 },
    'shop: rack runs anew (process worker) after 1.2 s',
  ],
  'power.failed': [
    {
      type: 'power.failed',
      ...on('rack'),
      act: 'start',
      error: { code: 'PLATFORM_QUOTA', message: 'it crashed' },
    },
    'shop: rack could not start: it crashed',
  ],
  'writer.promoted': [
    { type: 'writer.promoted', ...on('rack'), epoch: 2, tookMs: 400 },
    'shop: rack takes the writes (epoch 2, promoted in 0.4 s)',
  ],
  'writer.failed': [
    {
      type: 'writer.failed',
      ...on('rack'),
      epoch: 2,
      error: { code: 'PROMOTION_FAILED', message: 'exited with 3' },
    },
    'shop: nobody takes writes, rack was not promoted (epoch 2): exited with 3',
  ],
  'drill.started': [
    {
      type: 'drill.started',
      drill: 'dr-1',
      name: 'lose-cf',
      application: 'shop',
      platform: 'cf',
      who: 'ada',
      forMs: 120_000,
    },
    'shop: drill lose-cf takes cf out of service for 120.0 s (ada)',
  ],
  'drill.aborted': [
    {
      type: 'drill.aborted',
      drill: 'dr-1',
      name: 'lose-cf',
      application: 'shop',
      platform: 'cf',
      why: ['rack is degraded: 1 of 2 instances run'],
    },
    'shop: drill lose-cf is aborted, cf gets its traffic back: rack is degraded: 1 of 2 instances run',
  ],
  'drill.blocked': [
    {
      type: 'drill.blocked',
      drill: 'dr-1',
      name: 'lose-cf',
      application: 'shop',
      platform: 'cf',
      who: 'schedule',
      why: ['rack is down: refused', 'the others would carry 0 % of the demand'],
    },
    'shop: drill lose-cf of cf did not begin: rack is down: refused; the others would carry 0 % of the demand',
  ],
  'drill.finished': [
    {
      type: 'drill.finished',
      drill: 'dr-1',
      name: 'lose-cf',
      application: 'shop',
      platform: 'cf',
      outcome: 'failed',
      why: ['p95 reached 90 ms, expected at most 50 ms'],
      evidence: {
        shiftMs: 340,
        requests: 1_200,
        failed: 0,
        slowestMs: 90,
        peakRps: 40,
        carriers: { rack: 1 },
      },
    },
    'shop: drill lose-cf of cf failed, traffic left in 0.3 s, 0 of 1200 requests failed: p95 reached 90 ms, expected at most 50 ms',
  ],
  'process.started': [
    { type: 'process.started', process: 'worker', pid: 12, index: 0 },
    'worker 0 started (pid 12)',
  ],
  'process.exited': [
    { type: 'process.exited', process: 'controller', pid: 12, why: 'killed by SIGKILL' },
    'controller ended (pid 12): killed by SIGKILL',
  ],
  'configuration.reloaded': [
    { type: 'configuration.reloaded', changed: ['application shop', 'gateway.limits'], warnings: 1 },
    'the configuration was read again: application shop, gateway.limits',
  ],
  'configuration.refused': [
    {
      type: 'configuration.refused',
      message: 'sluice.yaml has a fault',
      why: 'sluice.yaml:3:1 error x: unknown key — remove it',
      remedy: 'validate it',
    },
    'the configuration was not taken: sluice.yaml has a fault: sluice.yaml:3:1 error x: unknown key — remove it',
  ],
  'operator.act': [
    { type: 'operator.act', act: 'destroy', who: 'ci', subject: 'shop on cf', reason: 'moved away' },
    'ci: destroy shop on cf — moved away',
  ],
};

describe('the line for people', () => {
  it.each(Object.entries(LINES))('of %s', (_type, [event, line]) => {
    expect(describeEvent({ seq: 1, at: 0, ...event })).toBe(line);
  });

  it('exists for every type', () => {
    expect(Object.keys(LINES).sort()).toEqual(Object.keys(EVENT_TYPES).sort());
  });

  it('of a failed target says why, in the platform’s own words', () => {
    const event: DomainEvent = {
      type: 'deployment.target',
      ...deployment,
      platform: 'cf',
      outcome: 'failed',
      error: { code: 'BUILD_FAILED', message: 'the build failed', why: 'exit status 3' },
    };
    expect(describeEvent({ seq: 1, at: 0, ...event })).toBe('cf failed: the build failed: exit status 3');
  });

  it('leaves out what there is not: reasons, times, a reason for an act', () => {
    const plain: DomainEvent[] = [
      { type: 'decision.made', application: 'shop', shares: {}, before: {}, reasons: [] },
      { type: 'deployment.target', ...deployment, platform: 'cf', outcome: 'stopped' },
      { type: 'operator.act', act: 'destroy', who: 'ci', subject: 'shop', reason: '' },
    ];
    expect(plain.map((event) => describeEvent({ seq: 1, at: 0, ...event }))).toEqual([
      'shop: nothing → nothing',
      'cf stopped',
      'ci: destroy shop',
    ]);
  });

  it('stays one line and steers no terminal, whatever a build printed', () => {
    const text = '\u001b[31mred\u001b[0m\r\n\u001b]0;title\u0007second\u0008\u009b2J line';
    const event: DomainEvent = {
      type: 'deployment.log',
      deployment: 'd-1',
      platform: 'cf',
      source: 'build',
      text,
    };
    const line = describeEvent({ seq: 1, at: 0, ...event });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(line).toContain('red');
  });
});
