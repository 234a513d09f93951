import { describe, expect, it } from '@jest/globals';
import { APP, scenario } from '../support/scenario.ts';

/** 100 rps for 2 × 50 rps: as much as the first tier has. */
function busy() {
  const s = scenario({
    targets: [
      { platform: 'cf', tier: 1, instances: 2, capacityRpsPerInstance: 50 },
      { platform: 'rack', tier: 2, instances: 2, capacityRpsPerInstance: 50 },
    ],
    policy: { overprovision: 1 },
  });
  for (const name of ['cf', 'rack']) Object.assign(s.platform(name), { desired: 2, running: 2 });
  return s;
}

describe('a platform whose instances are being replaced', () => {
  it('counts as smaller than it is: what it may not carry goes to the next tier meanwhile', () => {
    const s = busy();
    s.run(3_000);
    s.traffic({ cf: 90 });
    s.run(12_000);
    expect(s.shares()).toMatchObject({ cf: 1, rack: 0 });
    s.engine.exchange(APP, 'cf', true);
    s.run(1_500);
    expect(s.shares()['cf']).toBeCloseTo(0.55, 1);
    const capacity = s.engine.explain(APP)?.steps.find(({ stage }) => stage === 'capacity');
    expect(capacity?.lines[0]).toContain('50 % of it there, others are being replaced');
  });

  it('keeps its traffic where nobody else is needed', () => {
    const s = busy();
    s.run(3_000);
    s.engine.exchange(APP, 'cf', true);
    s.run(3_000);
    expect(s.shares()).toMatchObject({ cf: 1, rack: 0 });
  });
});
