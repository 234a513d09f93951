import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { replay } from '../../../src/app/simulate/replay.ts';
import { simulate } from '../../../src/app/simulate/run.ts';
import { readPolicy } from '../../../src/config/preset-policy.ts';
import { packagePresets } from '../../../src/config/presets.ts';
import { readScenario } from '../../../src/config/scenario.ts';
import type { PolicySettings } from '../../../src/core/settings.ts';

const SCENARIO = join(resolve(import.meta.dirname, '../../..'), 'config/scenarios/active-active.yaml');

function policy(name: string): PolicySettings {
  const { policy: found } = readPolicy(name, packagePresets());
  if (found === undefined) throw new Error(name);
  return found;
}

function outage() {
  const read = readScenario('outage', readFileSync(SCENARIO, 'utf8'));
  if (!read.ok) throw new Error('no scenario');
  return simulate(policy('active-active'), read.scenario);
}

describe('a replay', () => {
  const { events, scenario } = outage();

  it('of the policy that decided finds nothing else, as it was written to disk', () => {
    const written = events.map((event) => JSON.parse(JSON.stringify(event)));
    const { differences, decisions } = replay(policy('active-active'), written);
    expect(decisions).toBeGreaterThan(5);
    expect(differences).toEqual([]);
  });

  it('of another policy tells from when on it would have differed, and why', () => {
    const { differences } = replay({ ...policy('active-active'), failback: 'manual' }, events);
    const [first] = differences;
    // The first step of the ramp is the first thing that would not have happened.
    expect((first?.at ?? 0) - scenario.startAt).toBeGreaterThan(360_000);
    expect(first?.were['cf-eu']).toBeGreaterThan(0);
    expect(first?.wouldBe['cf-eu']).toBe(0);
    expect(first?.why).toContain('on the way back');
  });

  it('of a log without facts decides nothing', () => {
    const bare = events.map((event) => {
      if (event.type !== 'decision.made') return event;
      const { facts: _, ...rest } = event;
      return rest;
    });
    expect(replay(policy('active-active'), bare)).toMatchObject({ decisions: 0, differences: [] });
  });
});
