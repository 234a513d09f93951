import { describe, expect, it } from '@jest/globals';
import { faultsOf, loadText, soundFile } from './support.ts';

const budgetIn = (application: string) =>
  loadText(soundFile({ application })).settings?.applications['shop']?.policy.budget;

describe('an objective', () => {
  it('is watched as an error budget over two pairs of windows', () => {
    const budget = budgetIn('slo: { availability: 99.9% }');
    expect(budget?.objective).toBeCloseTo(0.999, 9);
    expect(budget?.triggers).toEqual([
      {
        ...{ longMs: 3_600_000, shortMs: 300_000, rate: 14.4 },
        act: {
          kind: 'notify',
          text: 'the error budget of 0.1 % burns more than 14.4 times too fast (over 1 h)',
        },
      },
      expect.objectContaining({ longMs: 21_600_000, shortMs: 1_800_000, rate: 6 }),
    ]);
  });

  it('gives way to a budget of the policy', () => {
    const policy =
      'policy: { budget: { objective: 90%, triggers: [{ windows: [60s, 10s], rate: 2, do: { propose: rollback } }] } }';
    expect(budgetIn(`slo: { availability: 99.9% }\n${policy}`)?.objective).toBeCloseTo(0.9, 9);
  });

  it.each(['100%', '0%'])('of %s is none', (availability) => {
    expect(faultsOf(soundFile({ application: `slo: { availability: ${availability} }` }))).toEqual([
      expect.stringContaining('no objective'),
    ]);
  });
});
