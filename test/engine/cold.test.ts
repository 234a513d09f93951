import { expect, it } from '@jest/globals';
import { APP, type Scenario, scenario } from '../support/scenario.ts';

function world(): Scenario {
  const s = scenario({
    targets: [
      { platform: 'cf', capacityRpsPerInstance: 50 },
      {
        ...{ platform: 'rack', tier: 2, standby: 'cold', instances: 0, wakesTo: 1, maxInstances: 3 },
        capacityRpsPerInstance: 50,
      },
    ],
    provider: 'selfhosted',
    policy: { scale: { withFailover: true, backAfterMs: 30_000 } },
  });
  Object.assign(s.platform('rack'), { running: 0, desired: 0 });
  return s;
}

const wanted = (s: Scenario) =>
  (s.engine.decision(APP)?.intents ?? []).flatMap((one) =>
    one.kind === 'scale' ? [`${one.platform} ${one.instances}`] : [],
  );

it('a cold standby sleeps unprobed, is woken when it is needed, serves, and is put back to sleep', () => {
  const s = world();
  s.traffic({ cf: 80 });
  s.run(10_000);
  expect(s.shares()).toEqual({ cf: 1 });
  expect(s.verdict('rack')).toBe('unknown');
  expect(s.engine.watched.map(({ platform }) => platform)).toEqual(['cf']);
  expect(wanted(s)).toEqual([]);
  expect(s.of('fault.attributed')).toEqual([]);

  s.platform('cf').path = 'refused';
  s.run(3_000);
  expect(wanted(s)).toEqual(['rack 2']);
  Object.assign(s.platform('rack'), {
    desired: 2,
    running: 0,
    instanceState: 'starting',
    path: 'status 503',
  });
  s.run(4_000);
  expect(s.verdict('rack')).toBe('starting');
  expect(s.of('fault.attributed').filter(({ platforms }) => platforms.includes('rack'))).toEqual([]);
  Object.assign(s.platform('rack'), { running: 2, path: 'ok' });
  s.traffic({ rack: 80 });
  s.run(4_000);
  expect(s.shares()).toMatchObject({ rack: 1 });

  s.platform('cf').path = 'ok';
  s.run(600_000);
  expect(s.shares()).toMatchObject({ cf: 1 });
  expect(wanted(s)).toEqual(['rack 0']);
  Object.assign(s.platform('rack'), { desired: 0, running: 0 });
  s.run(4_000);
  expect(wanted(s)).toEqual([]);
  expect(s.engine.watched.map(({ platform }) => platform)).toEqual(['cf']);
  // It failed nobody: the next time it serves at once.
  expect(s.engine.insight(APP)?.state.targets['rack']?.membership.kind).toBe('fresh');
});
