import { describe, expect, it } from '@jest/globals';
import type { ApplicationSettings } from '../../src/core/settings.ts';
import { loadText } from './support.ts';

function file(application: string, a = '{}', b = '{}'): string {
  return `version: 1
platforms:
  a: { provider: selfhosted, driver: process }
  b: { provider: selfhosted, driver: process }
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
applications:
  shop:
    source: .
    instances: 2
    ${application}
    targets:
      a: ${a}
      b: ${b}
      here: {}
`;
}

function shop(application: string, a?: string, b?: string): ApplicationSettings {
  const { settings, diagnostics } = loadText(file(application, a, b));
  expect(diagnostics).toEqual([]);
  return settings!.applications['shop']!;
}

function faults(application: string, a?: string, b?: string): readonly string[] {
  return loadText(file(application, a, b)).diagnostics.map(
    ({ severity, path, summary }) => `${severity} ${path}: ${summary}`,
  );
}

describe('data', () => {
  it('names the writer, and what makes another one of a target', () => {
    const data = 'data: { writes: single, writer: b, promote: ./promote.sh, promoteTimeout: 2m }';
    expect(shop(data).data).toEqual({
      ...{ writes: 'single', writer: 'b', promote: './promote.sh', promoteTimeoutMs: 120_000 },
    });
    expect(shop('data: { writes: none }').data).toEqual({ writes: 'none' });
    expect(shop('data: {}').data).toEqual({ writes: 'anywhere' });
  });

  it.each([
    ['{ writes: single }', 'error applications.shop.data.writes: nobody is named who begins as the writer'],
    [
      '{ writes: single, writer: c }',
      'error applications.shop.data.writer: the application has no such target',
    ],
    ['{ writer: a }', 'error applications.shop.data.writer: there is no single writer'],
    ['{ writes: none, promote: x }', 'error applications.shop.data.promote: there is no single writer'],
    [
      '{ writes: single, writer: a, promoteTimeout: 5s }',
      'error applications.shop.data.promoteTimeout: there is no command to wait for',
    ],
  ])('%s is refused', (data, fault) => {
    expect(faults(`data: ${data}`)).toEqual([fault]);
  });
});

describe('targets that wait and grow', () => {
  it('say how far, at what cost, and begin with what their kind runs', () => {
    const [a, b, here] = shop(
      'x-none: 1',
      '{ capacity: 90rps/instance, maxInstances: 6, cost: 0.11/instance-hour, standby: hot }',
      '{ capacity: 50rps/instance, maxInstances: 4, cost: 3, standby: pilot-light }',
    ).targets;
    expect(a).toMatchObject({
      tier: 1,
      instances: 2,
      maxInstances: 6,
      costPerInstanceHour: 0.11,
      standby: 'hot',
    });
    expect(b).toMatchObject({ tier: 2, instances: 1, maxInstances: 4, costPerInstanceHour: 3 });
    expect(here).not.toHaveProperty('maxInstances');
    const cold = shop(
      'x-none: 1',
      '{}',
      '{ standby: cold, capacity: 50rps/instance, maxInstances: 4 }',
    ).targets;
    expect(cold[1]).toMatchObject({ tier: 2, instances: 0, wakesTo: 2, maxInstances: 4, standby: 'cold' });
    expect(cold[0]).not.toHaveProperty('wakesTo');
    const warm = shop('x-none: 1', '{}', '{ standby: warm }').targets;
    expect(warm[1]).toMatchObject({ tier: 2, instances: 2 });
    expect(shop('x-none: 1', '{}', '{ standby: warm, tier: 1 }').targets[1]).toMatchObject({ tier: 1 });
  });

  it.each([
    [
      '{ capacity: 90rps/instance, maxInstances: 1 }',
      'error applications.shop.targets.a.maxInstances: it begins with 2 instances',
    ],
    [
      '{ maxInstances: 4 }',
      'warning applications.shop.targets.a.maxInstances: it never grows: nobody knows how much an instance carries',
    ],
    ['{ standby: pilot-light }', 'error applications.shop.targets.a.standby: it could never grow'],
    ['{ cost: much }', 'error applications.shop.targets.a.cost: not the cost of an instance'],
    ['{ cost: -1 }', 'error applications.shop.targets.a.cost: not the cost of an instance'],
  ])('%s is told of', (target, fault) => {
    expect(faults('x-none: 1', target)).toEqual([fault]);
  });
});
