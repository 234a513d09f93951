import { describe, expect, it } from '@jest/globals';
import {
  canaryStep,
  nextStep,
  type UpdaterView,
} from '../../../../../providers/cloudfoundry/local/engine/updater.ts';
import { virtualClock } from '../../../../../src/lib/virtual-clock.ts';

const quiet = { instances: 1, starting: 0, unhealthy: 0, routable: 0 };

function view(changes: Partial<UpdaterView>): UpdaterView {
  return {
    phase: 'DEPLOYING',
    maxInFlight: 1,
    wanted: 3,
    total: 3,
    fresh: quiet,
    old: [{ guid: 'old', instances: 3 }],
    ...changes,
  };
}

describe('the deployment updater', () => {
  it('waits while as many instances start as may be in flight', () => {
    expect(nextStep(view({ fresh: { ...quiet, starting: 1 } }))).toEqual({
      kind: 'wait',
      why: 'new instances start',
    });
  });

  it('grows by max_in_flight and takes the same number of old ones away once new ones are routable', () => {
    expect(nextStep(view({ fresh: { ...quiet, routable: 1 } }))).toEqual({
      kind: 'scale',
      fresh: 2,
      old: [{ guid: 'old', instances: 2 }],
      healthy: true,
    });
  });

  it('never grows beyond the target', () => {
    const step = nextStep(
      view({
        maxInFlight: 5,
        fresh: { ...quiet, instances: 2, routable: 2 },
        old: [{ guid: 'old', instances: 1 }],
      }),
    );
    expect(step).toMatchObject({ kind: 'scale', fresh: 3 });
  });

  it('waits for ever while a new instance is crashed, and keeps the old ones', () => {
    expect(nextStep(view({ fresh: { ...quiet, unhealthy: 1 } }))).toEqual({
      kind: 'wait',
      why: 'new instances crash',
    });
  });

  it('shrinks the old ones for what is routable even while another new one crashes', () => {
    const step = nextStep(view({ fresh: { instances: 2, starting: 0, unhealthy: 1, routable: 1 } }));
    expect(step).toEqual({
      kind: 'scale',
      fresh: 2,
      old: [{ guid: 'old', instances: 2 }],
      healthy: false,
    });
  });

  it('does not grow while the cells report fewer instances than were set', () => {
    const step = nextStep(
      view({ fresh: { instances: 3, starting: 0, unhealthy: 0, routable: 1 }, wanted: 5, total: 5 }),
    );
    expect(step).toMatchObject({ kind: 'wait' });
  });

  it('empties the oldest process first', () => {
    const step = nextStep(
      view({
        fresh: { ...quiet, instances: 2, routable: 2 },
        old: [
          { guid: 'first', instances: 1 },
          { guid: 'second', instances: 2 },
        ],
      }),
    );
    expect(step).toMatchObject({
      old: [
        { guid: 'first', instances: 0 },
        { guid: 'second', instances: 1 },
      ],
    });
  });

  it('finalizes when all new ones are routable and the old are at zero', () => {
    const done = { instances: 3, starting: 0, unhealthy: 0, routable: 3 };
    expect(nextStep(view({ fresh: done, old: [{ guid: 'old', instances: 0 }] }))).toEqual({
      kind: 'finalize',
    });
    expect(nextStep(view({ fresh: done, old: [{ guid: 'old', instances: 1 }] }))).toMatchObject({
      kind: 'scale',
      old: [{ guid: 'old', instances: 0 }],
    });
  });

  it('pauses a canary at its step with one extra instance', () => {
    const { canary, original } = canaryStep(5, 20);
    expect([canary, original]).toEqual([1, 5]);
    expect(
      nextStep(
        view({
          phase: 'PREPAUSED',
          wanted: canary,
          total: canary + original,
          fresh: { ...quiet, routable: 1 },
          old: [{ guid: 'old', instances: 5 }],
        }),
      ),
    ).toEqual({ kind: 'pause' });
    expect(canaryStep(10, 60)).toEqual({ canary: 6, original: 5 });
    expect(canaryStep(3, 100)).toEqual({ canary: 3, original: 0 });
    expect(canaryStep(4, undefined)).toEqual({ canary: 1, original: 4 });
  });

  it('takes two ticks an instance in the best case and never has fewer than the target routable', () => {
    const clock = virtualClock();
    const startsIn = 700;
    const started: number[] = [0];
    let old = 4;
    let instances = 1;
    let ticks = 0;
    let ended = false;
    let least = 4;
    clock.every(1_000, () => {
      if (ended) return;
      ticks += 1;
      const routable = started.filter((at) => clock.now() - at >= startsIn).length;
      const step = nextStep({
        phase: 'DEPLOYING',
        maxInFlight: 1,
        wanted: 4,
        total: 4,
        fresh: { instances, starting: instances - routable, unhealthy: 0, routable },
        old: [{ guid: 'old', instances: old }],
      });
      if (step.kind === 'finalize') ended = true;
      if (step.kind !== 'scale') return;
      for (; instances < step.fresh; instances++) started.push(clock.now());
      old = step.old[0]?.instances ?? old;
      least = Math.min(least, old + routable);
    });
    clock.advance(60_000);
    expect({ ended, old, instances, ticks, least }).toEqual({
      ended: true,
      old: 0,
      instances: 4,
      ticks: 5,
      least: 4,
    });
  });
});
