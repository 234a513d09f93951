import { describe, expect, it } from '@jest/globals';
import type { OtherProcess } from '../../src/core/settings.ts';
import { movesOf, type PlacementFacts, type Sight } from '../../src/orchestrator/placement.ts';

const ORDER = ['cf', 'ocp', 'rack'];
const worker = (runOn: OtherProcess['runOn']): OtherProcess => ({
  ...{ name: 'worker', command: 'work', instances: 2, memoryBytes: 1, runOn, takeOverMs: 60_000 },
});
const runs = (running: number, desired = running): Sight => ({
  process: { desired, running },
  awaySince: undefined,
});
const away = (running: number, awaySince: number): Sight => ({
  process: { desired: running, running },
  awaySince,
});
function facts(
  sights: readonly [Sight, Sight, Sight],
  active: readonly string[],
  more: Partial<PlacementFacts> = {},
): PlacementFacts {
  return {
    ...{ order: ORDER, active: new Set(active), holder: undefined, now: 100_000 },
    sights: new Map(ORDER.map((name, i) => [name, sights[i]!])),
    ...more,
  };
}
const done = (process: OtherProcess, given: PlacementFacts): readonly string[] =>
  movesOf(process, given).map((move) =>
    move.kind === 'set'
      ? `${move.platform} ${move.from}→${move.instances}`
      : `${move.platform} waits: ${move.reason}`,
  );

describe('a process that runs where traffic is', () => {
  it('is started on each platform that has some, and stopped on those that have none', () => {
    const given = facts([runs(2), runs(0), runs(2)], ['cf', 'ocp']);
    expect(done(worker('active'), given)).toEqual(['ocp 0→2', 'rack 2→0']);
  });

  it('stays as it is while nobody has traffic, and on a platform that does not answer', () => {
    expect(done(worker('active'), facts([runs(2), runs(0), runs(0)], []))).toEqual([]);
    expect(done(worker('active'), facts([away(2, 0), runs(0), runs(0)], ['ocp']))).toEqual(['ocp 0→2']);
  });

  it('is never moved where it runs on all', () => {
    expect(done(worker('all'), facts([runs(0), runs(0), runs(0)], ['cf']))).toEqual([]);
  });
});

describe('a process that runs on exactly one', () => {
  const one = worker('one');

  it('runs on the first with traffic', () => {
    expect(done(one, facts([runs(0), runs(0), runs(0)], ['ocp', 'rack']))).toEqual(['ocp 0→2']);
    expect(done(one, facts([runs(0), runs(2), runs(0)], ['ocp', 'rack']))).toEqual([]);
  });

  it('stops where it was before it starts where it is to be, and waits until nothing runs there any more', () => {
    expect(done(one, facts([runs(2), runs(0), runs(0)], ['ocp']))).toEqual([
      'cf 2→0',
      'ocp waits: it has not stopped on cf yet',
    ]);
    // Told to stop, and still on its way out.
    expect(done(one, facts([runs(1, 0), runs(0), runs(0)], ['ocp']))).toEqual([
      'ocp waits: it has not stopped on cf yet',
    ]);
    expect(done(one, facts([runs(0), runs(0), runs(0)], ['ocp']))).toEqual(['ocp 0→2']);
  });

  it('waits for a platform that is gone and may still run it, and says so when it waits no longer', () => {
    expect(done(one, facts([away(2, 50_000), runs(0), runs(0)], ['ocp']))).toEqual([
      'ocp waits: cf does not answer and may still run it',
    ]);
    const [move] = movesOf(one, facts([away(2, 40_000), runs(0), runs(0)], ['ocp']));
    expect(move).toMatchObject({ kind: 'set', platform: 'ocp', instances: 2 });
    expect(move?.reason).toContain('nobody can say whether it still runs there');
  });

  it('does not wait for a platform that is gone and was not running it', () => {
    expect(done(one, facts([away(0, 99_000), runs(0), runs(0)], ['ocp']))).toEqual(['ocp 0→2']);
  });

  it('stays where it is while that platform has traffic, though its API is away', () => {
    expect(done(one, facts([away(2, 0), runs(0), runs(0)], ['cf', 'ocp']))).toEqual([]);
  });

  it('is stopped on a platform that comes back with it', () => {
    expect(done(one, facts([runs(2), runs(2), runs(0)], ['ocp']))).toEqual([
      'cf 2→0',
      'ocp waits: it has not stopped on cf yet',
    ]);
  });

  it('is started nowhere before everybody was heard of, and of the unheard the record says who may run it', () => {
    const known = facts([runs(0), runs(0), runs(0)], ['ocp']);
    const sights = new Map([...known.sights].filter(([name]) => name !== 'cf'));
    expect(done(one, { ...known, sights })).toEqual([]);
    const never: Sight = { process: undefined, awaySince: 90_000 };
    expect(done(one, facts([never, runs(0), runs(0)], ['ocp'], { holder: 'cf' }))).toEqual([
      'ocp waits: cf does not answer and may still run it',
    ]);
    expect(done(one, facts([never, runs(0), runs(0)], ['ocp'], { holder: 'rack' }))).toEqual(['ocp 0→2']);
  });
});
