import { describe, expect, it } from '@jest/globals';
import { loadText } from './support.ts';

function load(tasks: string) {
  return loadText(`version: 1
platforms:
  a: { provider: selfhosted, driver: process }
  old: { provider: static, origins: ["http://127.0.0.1:1"] }
applications:
  shop:
    source: .
    targets: { a: {}, old: {} }
    tasks: ${tasks}
`);
}

const faults = (tasks: string) => load(tasks).diagnostics.map(({ path, summary }) => `${path}: ${summary}`);

describe('tasks', () => {
  it('have a command, and run by hand unless they belong to a release', () => {
    const { settings, diagnostics } = load(
      '{ migrate: { command: npm run migrate, when: release, class: contract, timeout: 30m, memory: 64M, on: a }, report: { command: report } }',
    );
    expect(diagnostics).toEqual([]);
    expect(settings?.applications['shop']?.tasks).toEqual([
      {
        ...{ name: 'migrate', command: 'npm run migrate', when: 'release', class: 'contract' },
        ...{ timeoutMs: 1_800_000, memoryBytes: 67_108_864, on: 'a' },
      },
      { name: 'report', command: 'report', when: 'hand', timeoutMs: 600_000, memoryBytes: 268_435_456 },
    ]);
  });

  it('have a class only where it means something', () => {
    expect(faults('{ report: { command: report, class: expand } }')).toEqual([
      'applications.shop.tasks.report.class: only tasks that run with a release have a class',
    ]);
  });

  it('run where the application is deployed', () => {
    expect(faults('{ report: { command: report, on: old } }')).toEqual([
      'applications.shop.tasks.report.on: the application is not deployed to "old"',
    ]);
  });

  it('have short names, for they become parts of other names', () => {
    expect(faults('{ Migrate_All: { command: x } }')).toEqual([
      'applications.shop.tasks.Migrate_All: not a name for a task',
    ]);
    expect(faults('{ migrate: {} }')).toHaveLength(1);
  });
});

describe('processes by the clock', () => {
  const withProcess = (process: string, zone = '') =>
    loadText(`version: 1
${zone}
platforms: { a: { provider: selfhosted, driver: process } }
applications:
  shop:
    source: .
    targets: { a: {} }
    scale: { schedule: [{ cron: "0 6 * * *", instances: 2 }] }
    processes: { worker: { command: work }, report: ${process} }
`);
  const told = (process: string, zone?: string) =>
    withProcess(process, zone).diagnostics.map(({ path, summary }) => `${path}: ${summary}`);

  it('are no processes that run all the time', () => {
    const { settings, diagnostics } = withProcess(
      '{ command: report, schedule: "0 3 * * *", timezone: Europe/Berlin, timeout: 5m, overlap: allow, catchUp: 1h, runOn: all }',
    );
    expect(diagnostics).toEqual([]);
    const shop = settings!.applications['shop']!;
    expect(shop.processes?.map(({ name }) => name)).toEqual(['worker']);
    expect(shop.jobs).toEqual([
      {
        ...{ name: 'report', command: 'report', memoryBytes: 268_435_456, runOn: 'all' },
        ...{ cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
        ...{ timeoutMs: 300_000, overlap: 'allow', catchUpMs: 3_600_000 },
      },
    ]);
  });

  it('run on one platform, one at a time, in the zone of the file', () => {
    const { settings } = withProcess('{ command: report, schedule: "0 3 * * *" }', 'timezone: Asia/Tokyo');
    const { jobs, autoscale } = settings!.applications['shop']!;
    expect(jobs).toMatchObject([{ runOn: 'one', overlap: 'forbid', timeZone: 'Asia/Tokyo' }]);
    expect(autoscale?.schedule).toMatchObject([{ timeZone: 'Asia/Tokyo' }]);
    const utc = withProcess('{ command: report, schedule: "0 3 * * *" }').settings;
    expect(utc?.applications['shop']?.jobs).toMatchObject([{ timeZone: 'UTC' }]);
  });

  it('have a schedule and a zone that there are', () => {
    expect(told('{ command: report, schedule: "often" }')[0]).toMatch(
      /^applications\.shop\.processes\.report\.schedule: not a cron expression/,
    );
    expect(told('{ command: report, schedule: "0 3 * * *" }', 'timezone: Mars/Olympus')).toEqual([
      'timezone: not a time zone',
    ]);
    expect(told('{ command: report, schedule: "0 3 * * *", timezone: Mars/Olympus }')).toEqual([
      'applications.shop.processes.report.timezone: not a time zone',
    ]);
  });

  it('have no number and no hand-over, and others no keys of theirs', () => {
    expect(told('{ command: report, schedule: "0 3 * * *", instances: 2, takeOver: 1m }')).toEqual([
      'applications.shop.processes.report.instances: it runs by the clock, once at a time',
      'applications.shop.processes.report.takeOver: it runs by the clock, once at a time',
    ]);
    expect(told('{ command: report, overlap: allow }')).toEqual([
      'applications.shop.processes.report.overlap: it runs all the time',
    ]);
  });
});
