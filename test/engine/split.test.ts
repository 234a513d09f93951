import { beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_DEPLOY } from '../../src/core/deploy-settings.ts';
import { originId } from '../../src/core/ids.ts';
import type { TableTarget } from '../../src/core/routing-table.ts';
import type { TrafficCounts } from '../../src/core/signals.ts';
import { Histogram } from '../../src/lib/histogram.ts';
import { APP, counts, type Scenario, scenario } from '../support/scenario.ts';

const OLD = 'r-0000000001';
const NEW = 'r-0000000002';
const PAIR = [
  { platform: 'cf', weight: 60 },
  { platform: 'ocp', weight: 40 },
];

let s: Scenario;

beforeEach(() => {
  s = scenario({ targets: PAIR, proven: true });
  s.engine.allowReleases(APP, [OLD]);
  s.run(3_000);
});

function tryOn(...platforms: readonly string[]): void {
  for (const name of platforms) s.platform(name).trial = { release: NEW, path: 'ok', answers: NEW };
  s.run(4_000);
}

function targets(): readonly TableTarget[] {
  return s.engine.table.routes[0]?.targets ?? [];
}

/** `cf 0.57`, `cf trial 0.03`, in the order in which they are tried. */
function parts(): readonly string[] {
  return targets().map(
    ({ platform, trial, share }) =>
      `${platform}${trial === true ? ' trial' : ''} ${Math.round(share * 1000) / 1000}`,
  );
}

/** One window of a worker about a trial. */
function met(platform: string, met: Partial<TrafficCounts>): void {
  const [url = ''] = s.platform(platform).urls;
  const failed = (met.status5xx ?? 0) + (met.reset ?? 0);
  s.engine.accept({
    ...{ kind: 'traffic', at: s.clock.now(), windowMs: 1_000, worker: 1, application: APP, platform },
    origin: originId(platform, url, NEW),
    ...{ counts: counts(met), p50Ms: 5, p95Ms: 20, inFlight: 0 },
    compared: { release: NEW, trial: true, requests: (met.ok ?? 0) + failed, failed, heads: [] },
  });
}

describe('a split', () => {
  it('divides the share of each platform between its own origins and its trial, trials last', () => {
    tryOn('cf', 'ocp');
    expect(parts()).toEqual(['cf 0.6', 'ocp 0.4']);
    s.engine.split(APP, NEW, 0.05);
    expect(parts()).toEqual(['cf 0.57', 'ocp 0.38', 'cf trial 0.03', 'ocp trial 0.02']);
    expect(targets().map(({ release }) => release)).toEqual([OLD, OLD, NEW, NEW]);
    expect(s.of('traffic.split')).toMatchObject([{ release: NEW, part: 0.05 }]);
  });

  it('gives all of it to the trials and keeps the own origins to save what fails there', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 1);
    expect(parts()).toEqual(['cf 0', 'ocp 0', 'cf trial 0.6', 'ocp trial 0.4']);
    expect(targets().every(({ state }) => state === 'active')).toBe(true);
  });

  it('ends with part 0, and a trial that is only there is watched and gets nothing', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    const version = s.engine.split(APP, NEW, 0);
    expect([version, parts()]).toEqual([s.engine.table.version, ['cf 0.6', 'ocp 0.4']]);
    expect(s.engine.watched.filter(({ trial }) => trial === NEW)).toHaveLength(2);
    expect(s.engine.offers(APP, 'cf', NEW)).toBe(false);
  });

  it('leaves a platform without a trial of that release all of its share', () => {
    tryOn('ocp');
    s.platform('cf').trial = { release: 'r-0000000003', path: 'ok', answers: 'r-0000000003' };
    s.run(3_000);
    s.engine.split(APP, NEW, 0.5);
    expect(parts()).toEqual(['cf 0.6', 'ocp 0.2', 'ocp trial 0.2']);
    expect(s.engine.awaitedTrials(APP, NEW)).toEqual([]);
  });

  it('waits for a trial that answers as another release', () => {
    tryOn('cf', 'ocp');
    const trial = s.platform('cf').trial;
    if (trial === undefined) throw new Error('no trial');
    trial.answers = OLD;
    s.run(4_000);
    s.engine.split(APP, NEW, 0.5);
    expect(parts()).toEqual(['cf 0.6', 'ocp 0.2', 'ocp trial 0.2']);
    expect(s.engine.awaitedTrials(APP, NEW)).toEqual(['cf']);
    expect(s.engine.statusOf(APP)?.platforms[0]?.trial).toMatchObject({
      ...{ release: { id: NEW }, share: 0, waits: `it answers as ${OLD}` },
    });
    trial.answers = NEW;
    s.run(4_000);
    expect(s.engine.awaitedTrials(APP, NEW)).toEqual([]);
    expect(parts()).toContain('cf trial 0.3');
  });

  it('follows the decision: with its platform down a trial has nothing', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    s.platform('cf').path = 'refused';
    s.run(5_000);
    expect(parts().filter((part) => !part.endsWith(' 0'))).toEqual(['ocp 0.5', 'ocp trial 0.5']);
  });

  it('is explained, and shown in the status', () => {
    tryOn('cf');
    s.engine.split(APP, NEW, 0.1);
    const step = s.engine.explain(APP)?.steps.find(({ stage }) => stage === 'trials');
    expect(step?.lines).toEqual([
      `${NEW} is tried with 10 % of the traffic`,
      'cf: 10 % of its share goes to the trial',
      'ocp runs no trial of it',
    ]);
    expect(s.engine.statusOf(APP)?.platforms[0]?.trial).toMatchObject({ share: 0.06 });
  });

  it('outlives another configuration', () => {
    tryOn('cf');
    s.engine.split(APP, NEW, 0.5);
    const before = parts();
    s.reconfigure();
    s.run(300);
    expect(parts()).toEqual(before);
  });

  it('is forgotten by a controller that starts anew, which takes a trial for nothing else', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    const next = scenario({ targets: PAIR, proven: true, lastTable: s.engine.table });
    next.engine.allowReleases(APP, [OLD]);
    next.run(5_000);
    expect(next.engine.table.routes[0]?.targets.map(({ trial, release }) => [trial, release])).toEqual([
      [undefined, OLD],
      [undefined, OLD],
    ]);
    expect(next.shares()).toEqual({ cf: 0.6, ocp: 0.4 });
  });
});

describe('a bad trial', () => {
  it('is taken out alone when its probes fail: verdicts, shares and flapping know nothing of it', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    for (let i = 0; i < 6; i += 1) {
      const trial = s.platform('cf').trial;
      if (trial === undefined) throw new Error('no trial');
      trial.path = i % 2 === 0 ? 'status 503' : 'ok';
      s.run(5_000);
      expect(parts().includes('cf trial 0.3')).toBe(i % 2 === 1);
      expect([s.verdict('cf'), s.verdict('ocp'), s.shares()]).toEqual(['up', 'up', { cf: 0.6, ocp: 0.4 }]);
    }
    const facts = s.engine.insight(APP)?.facts;
    expect(facts?.targets[0]).toMatchObject({ availability: 1, signals: { flap: 0 } });
    expect(facts?.attribution ?? []).toEqual([]);
    expect(s.of('verdict.changed').filter(({ from }) => from === 'up')).toEqual([]);
  });

  it('is taken out alone when a worker ejects it', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    const at = s.clock.now();
    const [url = ''] = s.platform('cf').urls;
    s.engine.accept({
      ...{ kind: 'ejection', at, worker: 1, platform: 'cf', application: APP, release: NEW },
      ...{ origin: originId('cf', url, NEW), reason: 'consecutive-failures', until: at + 5_000 },
    });
    s.run(500);
    expect(parts()).toEqual(['cf 0.6', 'ocp 0.2', 'ocp trial 0.2']);
    expect(s.verdict('cf')).toBe('up');
  });

  it('that fails its requests speaks neither against its platform nor in the facts, and is demand all the same', () => {
    tryOn('cf', 'ocp');
    s.engine.split(APP, NEW, 0.5);
    s.traffic({ cf: 30, ocp: 40 });
    for (let i = 0; i < 12; i += 1) {
      met('cf', { status5xx: 30 });
      s.run(1_000);
    }
    const facts = s.engine.insight(APP)?.facts;
    expect(facts?.targets[0]?.traffic).toMatchObject({ failed: 0 });
    expect(Math.round((facts?.demandRps ?? 0) / 10)).toBe(10);
    expect([s.verdict('cf'), s.shares()]).toEqual(['up', { cf: 0.6, ocp: 0.4 }]);
    expect(s.engine.statusOf(APP)?.platforms[0]).toMatchObject({ errorRate: 0, trial: { errorRate: 1 } });
  });
});

describe('comparing', () => {
  const isCompared = (): boolean => s.engine.table.routes[0]?.compared === true;

  it('begins when a trial is seen, before it gets anything, and ends with it', () => {
    expect(isCompared()).toBe(false);
    tryOn('cf');
    expect(isCompared()).toBe(true);
    s.platform('cf').trial = undefined;
    s.run(3_000);
    expect(isCompared()).toBe(false);
  });

  it('goes on all the time where releases are to be tried, so that there is something to compare with', () => {
    s = scenario({ targets: PAIR, deploy: { ...DEFAULT_DEPLOY, strategy: 'canary' } });
    s.run(3_000);
    expect(isCompared()).toBe(true);
  });
});

describe('what clients met', () => {
  const heads = (...ms: readonly number[]): readonly number[] => {
    const histogram = new Histogram();
    for (const one of ms) histogram.add(one);
    return histogram.pairs();
  };

  function tell(trial: boolean, requests: number, failed: number, ...ms: readonly number[]): void {
    const [url = ''] = s.platform('cf').urls;
    s.engine.accept({
      ...{ kind: 'traffic', at: s.clock.now(), windowMs: 1_000, worker: 1, application: APP, platform: 'cf' },
      origin: originId('cf', url, trial ? NEW : undefined),
      ...{ counts: counts({}), p50Ms: 0, p95Ms: 0, inFlight: 0 },
      compared: { release: trial ? NEW : OLD, trial, requests, failed, heads: heads(...ms) },
    });
  }

  it('is added up over windows for the trial and for the own origins, each by itself', () => {
    tryOn('cf');
    s.engine.split(APP, NEW, 0.5);
    s.run(1_000);
    const since = s.clock.now() - 1_000;
    tell(true, 3, 1, 10, 10, 100);
    tell(false, 2, 0, 1, 2);
    s.run(1_000);
    tell(true, 1, 1, 100);
    const [own, trial] = s.engine.outcomes(APP, since);
    expect(own).toMatchObject({ platform: 'cf', release: OLD, trial: false, requests: 2, failed: 0 });
    expect(trial).toMatchObject({ platform: 'cf', release: NEW, trial: true, requests: 4, failed: 2 });
    // Of all samples together: a mean of percentiles would be another number.
    expect(trial?.p50Ms).toBeGreaterThanOrEqual(10);
    expect(trial?.p50Ms).toBeLessThan(13);
    expect(trial?.p95Ms).toBeGreaterThanOrEqual(100);
  });

  it('leaves out windows that began before', () => {
    tryOn('cf');
    s.engine.split(APP, NEW, 0.5);
    tell(true, 5, 5, 10);
    s.run(500);
    const since = s.clock.now();
    tell(true, 7, 0, 10);
    s.run(1_000);
    tell(true, 1, 0);
    expect(s.engine.outcomes(APP, since)[1]).toMatchObject({ requests: 1, failed: 0, p50Ms: undefined });
  });

  it('outlives the trial itself: one that crashed is judged by what it did', () => {
    tryOn('cf');
    s.engine.split(APP, NEW, 0.5);
    s.platform('cf').trial = undefined;
    s.run(3_000);
    const since = s.clock.now() - 1_000;
    tell(true, 9, 9);
    expect(s.engine.outcomes(APP, since)[1]).toMatchObject({ trial: true, requests: 9, failed: 9 });
  });
});
