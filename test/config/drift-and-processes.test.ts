import { describe, expect, it } from '@jest/globals';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { loadText } from './support.ts';

function file(lines: readonly string[]): string {
  return `version: 1
platforms:
  a: { provider: selfhosted, driver: process }
applications:
  shop:
    source: .
${lines.map((line) => `    ${line}\n`).join('')}    targets: { a: {} }
`;
}

function shop(...lines: readonly string[]): ApplicationSettings {
  const { settings, diagnostics } = loadText(file(lines));
  expect(diagnostics).toEqual([]);
  return settings!.applications['shop']!;
}

function faults(...lines: readonly string[]): readonly string[] {
  return loadText(file(lines)).diagnostics.map(({ path, summary }) => `${path}: ${summary}`);
}

describe('drift', () => {
  it('is one word, or written out', () => {
    expect(shop().drift).toBeUndefined();
    expect(shop('drift: heal').drift).toEqual({ mode: 'heal', everyMs: 30_000, ignore: [], seed: [] });
    expect(
      shop('drift: { mode: heal, every: 1m, ignore: [instances], seed: [env.LOG_LEVEL] }').drift,
    ).toEqual({ mode: 'heal', everyMs: 60_000, ignore: ['instances'], seed: ['env.LOG_LEVEL'] });
  });

  it('names only fields there are, and seeds only what can be read back', () => {
    expect(faults('drift: { ignore: [replicas] }')).toEqual([
      'applications.shop.drift.ignore[0]: not a field that this is said of',
    ]);
    expect(faults('drift: { seed: [memory] }')).toEqual([
      'applications.shop.drift.seed[0]: not a field that this is said of',
    ]);
  });
});

describe('processes', () => {
  it('beside web have a command, a size and a place', () => {
    const application = shop(
      'command: node server.js',
      'processes: { worker: { command: node worker.js, instances: 2, memory: 128M, runOn: one, takeOver: 90s }, sync: { command: sync } }',
    );
    expect(application.process.command).toBe('node server.js');
    expect(application.processes).toEqual([
      {
        ...{ name: 'worker', command: 'node worker.js', instances: 2, memoryBytes: 134_217_728 },
        ...{ runOn: 'one', takeOverMs: 90_000 },
      },
      {
        ...{ name: 'sync', command: 'sync', instances: 1, memoryBytes: 268_435_456 },
        ...{ runOn: 'all', takeOverMs: 120_000 },
      },
    ]);
    expect(shop('processes: { web: { command: run } }').processes).toBeUndefined();
  });

  it('are refused where they make no sense', () => {
    expect(faults('processes: { worker: {} }')).toEqual([
      'applications.shop.processes.worker: a process beside web needs a command',
    ]);
    expect(faults('processes: { web: { runOn: one } }')).toEqual([
      'applications.shop.processes.web.runOn: web runs on every target',
    ]);
    expect(faults('processes: { worker: { command: work, takeOver: 1m } }')).toEqual([
      'applications.shop.processes.worker.takeOver: nothing is taken over here',
    ]);
    expect(faults('processes: { Worker-1: { command: work } }')).toHaveLength(1);
  });
});
