import { beforeEach, describe, expect, it } from '@jest/globals';
import { deploymentLimits } from '../../src/app/intent-execution.ts';
import type { OperatorAct } from '../../src/core/acts.ts';
import type { IntentExecutor } from '../../src/orchestrator/intents.ts';
import { APP, type Scenario, scenario } from '../support/scenario.ts';

let s: Scenario;
let acts: OperatorAct[];

beforeEach(() => {
  s = scenario({ targets: [{ platform: 'cf' }, { platform: 'ocp' }, { platform: 'rack' }] });
  acts = [];
  s.run(3_000);
});

function limits() {
  const nobody: Partial<IntentExecutor> = { sizeOf: () => 1, scaledTo: () => undefined };
  // Only what the limits ask of it.
  return deploymentLimits(
    s.engine,
    () => nobody as IntentExecutor,
    () => acts,
  );
}

function paused(platforms = ['cf', 'ocp']): string | undefined {
  return limits().paused(APP, platforms);
}

function act(kind: OperatorAct['kind'], more: Partial<OperatorAct> = {}): OperatorAct {
  return {
    ...{ id: 'a-1', kind, application: undefined, platform: undefined, who: 'ann', reason: 'a look' },
    ...{ since: 0, until: undefined, ...more },
  };
}

describe('a deployment in step', () => {
  it('goes on while all it goes to are well', () => {
    expect(paused()).toBeUndefined();
  });

  it('pauses when one of its platforms fails over, on the survivors, and goes on when that is back', () => {
    s.platform('cf').path = 'refused';
    s.run(10_000);
    expect(s.shares()['cf']).toBe(0);
    expect(paused()).toMatch(/^cf is down: /);
    expect(limits().down(APP)).toEqual(['cf']);
    // Whoever is not deployed to is no matter of the deployment.
    expect(paused(['ocp', 'rack'])).toBeUndefined();
    s.platform('cf').path = 'ok';
    s.run(10_000);
    expect(paused()).toBeUndefined();
  });

  it('pauses while a person holds automation, and says who and why', () => {
    acts = [act('hold')];
    expect(paused()).toBe('ann holds automation: a look');
    acts = [act('hold', { application: 'other' })];
    expect(paused()).toBeUndefined();
  });

  it('pauses while automation is frozen', () => {
    s = scenario({ targets: [{ platform: 'cf' }, { platform: 'ocp' }], policy: { maxFailoversPerHour: 1 } });
    s.run(3_000);
    for (let turn = 0; turn < 3; turn++) {
      for (const path of ['refused', 'ok'] as const) {
        s.platform('cf').path = path;
        s.run(120_000);
      }
    }
    expect(s.engine.statusOf(APP)?.frozen).toBeDefined();
    expect(paused()).toMatch(/^automation is frozen: /);
  });

  it('does not wait for what a person has stopped: it is down on purpose, and started by the deployment', () => {
    acts = [act('stop', { application: APP, platform: 'cf' })];
    s.engine.order(acts);
    s.platform('cf').path = 'refused';
    s.run(10_000);
    expect(s.verdict('cf')).toBe('down');
    expect(paused()).toBeUndefined();
  });
});
