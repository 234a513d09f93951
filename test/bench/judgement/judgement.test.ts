import { describe, expect, it } from '@jest/globals';
import { measureDeciding } from './deciding.ts';
import { formatJudgement, type JudgementReport, limitsOf } from './report.ts';

const REPORT: JudgementReport = {
  schema: 1,
  at: '2026-01-01T00:00:00.000Z',
  node: 'v20',
  deciding: {
    ...{ applications: 1_000, platforms: 10, rounds: 3, decisionsByOneFact: 1 },
    ...{ decideMs: [30, 40, 60], evaluateMs: [90, 100, 110], calmMs: [20, 25, 30], oneFactMs: [5, 6, 7] },
  },
  probing: {
    ...{ applications: 1_000, platforms: 5, targets: 5_000 },
    samples: [{ cores: 0.7, healthPerSecond: 4_900, otherPerSecond: 5_000, failed: 0 }],
  },
};

describe('the bench of judgement', () => {
  it('decides once for one changed fact, whatever else is there', () => {
    const found = measureDeciding({ applications: 5, platforms: 3 }, 3);
    expect(found.decisionsByOneFact).toBe(1);
    expect(found.decideMs).toHaveLength(3);
    expect(found.evaluateMs).toHaveLength(3);
  });

  it('keeps its limits by the median, and says which it missed', () => {
    expect(limitsOf(REPORT).filter(({ kept }) => !kept)).toEqual([]);
    const slow = {
      ...REPORT,
      deciding: { ...REPORT.deciding, decideMs: [51, 52, 53], decisionsByOneFact: 2 },
    };
    expect(limitsOf(slow).filter(({ kept }) => !kept)).toMatchObject([
      { what: 'deciding, the policy alone', measured: 52, atMost: 50 },
      { what: 'decisions after one changed fact', measured: 2 },
    ]);
    expect(formatJudgement(slow)).toContain('MISSED deciding, the policy alone: 52 ms, at most 50');
  });

  it('does not take falling behind for being cheap', () => {
    const [sample] = REPORT.probing.samples;
    const late = {
      ...REPORT,
      probing: { ...REPORT.probing, samples: [{ ...sample!, healthPerSecond: 4_000 }] },
    };
    expect(limitsOf(late).filter(({ kept }) => !kept)).toMatchObject([
      { what: 'targets not asked in a second' },
    ]);
  });
});
