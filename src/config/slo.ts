import { z } from 'zod';
import type { ErrorBudget } from '../core/policy-settings.ts';
import { ratio } from './fields.ts';

export const sloSchema = z
  .strictObject({
    availability: ratio({ says: 'Part of the requests that must succeed: 99.9%.' }).refine(
      (given) => given > 0 && given < 1,
      { message: 'no objective', params: { remedy: 'a part between 0% and 100%, for example 99.9%' } },
    ),
  })
  .meta({
    description:
      'Objective of the application. Whoever burns its error budget 14.4 times too fast over 1h and 5m, or 6 times over 6h and 30m, is told (`intent.raised`); a `budget` in the policy says it otherwise.',
  });

const [HOUR, MINUTE] = [3_600_000, 60_000];

/** The windows and rates at which people are called by the SRE workbook: 2 % of a month's budget in an hour, 5 % in six. */
const TRIGGERS = [
  { longMs: HOUR, shortMs: 5 * MINUTE, rate: 14.4, over: '1 h' },
  { longMs: 6 * HOUR, shortMs: 30 * MINUTE, rate: 6, over: '6 h' },
] as const;

export function budgetOf({ availability }: z.output<typeof sloSchema>): ErrorBudget {
  const percent = Math.round((1 - availability) * 1e6) / 1e4;
  return {
    objective: availability,
    triggers: TRIGGERS.map(({ over, ...trigger }) => ({
      ...trigger,
      act: {
        kind: 'notify',
        text: `the error budget of ${percent} % burns more than ${trigger.rate} times too fast (over ${over})`,
      },
    })),
  };
}
