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
