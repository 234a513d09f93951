import { z } from 'zod';
import {
  DEFAULT_DRILL_MS,
  DEFAULT_EXPECTATIONS,
  DEFAULT_STALE_AFTER_MS,
  type DrillSettings,
} from '../core/drill.ts';
import { checkCron } from './cron-check.ts';
import { checkedText, described, duration, ratio, text } from './fields.ts';
import { condition } from './policy-fields.ts';

const DAY_MS = 86_400_000;

const conditions = (says: string) =>
  z.array(condition({ says: 'In CEL; `target` is the platform that is drilled.' })).meta(described({ says }));

/** One of `applications.NAME.drills`. */
export const drillSchema = z
  .strictObject({
    name: checkedText({ says: 'What events and reports call it.' }, '^[a-z0-9][a-z0-9-]*$', (name) =>
      /^[a-z0-9][a-z0-9-]{0,39}$/.test(name)
        ? undefined
        : { fault: 'not a name', remedy: 'lower-case letters, digits and dashes, at most 40' },
    ),
    platform: text({ says: 'Whose traffic is taken away.' }),
    cron: text({
      says: 'When it begins: minute, hour, day, month, weekday. Left out: only by `sluice drill`.',
    }).optional(),
    timezone: text({ says: 'IANA name.', otherwise: 'UTC' }).optional(),
    for: duration(
      { says: 'How long the platform stays without traffic.', otherwise: '2m' },
      { min: 1_000, max: DAY_MS },
    ).optional(),
    blockIf: conditions('With any of these it does not begin.').optional(),
    abortIf: conditions('With any of these it ends at once, beside what ends every drill.').optional(),
    expect: z
      .strictObject({
        shiftWithin: duration(
          { says: 'From the order until no worker sends a new request there.', otherwise: '20s' },
          { min: 1, max: 3_600_000 },
        ).optional(),
        errors: ratio({
          says: 'Part of the requests that may fail meanwhile.',
          otherwise: '0.1%',
        }).optional(),
        slowest: duration(
          { says: 'The highest p95 of any one second at any one origin. Left out: not asked.' },
          { min: 1, max: 3_600_000 },
        ).optional(),
      })
      .meta({ description: 'What must have been so for it to pass.' })
      .optional(),
    staleAfter: duration(
      { says: 'After this time without a passed drill the platform shows as unproven.', otherwise: '30d' },
      { min: 1_000, max: 3_650 * DAY_MS },
    ).optional(),
  })
  .superRefine(({ cron, timezone }, context) => {
    if (cron === undefined) {
      if (timezone === undefined) return;
      const params = { remedy: 'add `cron`, or remove it' };
      context.addIssue({
        code: 'custom',
        path: ['timezone'],
        message: 'means nothing without `cron`',
        params,
      });
      return;
    }
    checkCron(cron, timezone, context);
  })
  .meta({ description: 'A rehearsed loss of a platform.' });

export type DrillInput = z.output<typeof drillSchema>;

export function assembleDrill(input: DrillInput): DrillSettings {
  const { expect } = input;
  const slowest = expect?.slowest;
  return {
    name: input.name,
    platform: input.platform,
    cron: input.cron,
    timeZone: input.timezone ?? 'UTC',
    forMs: input.for ?? DEFAULT_DRILL_MS,
    blockIf: input.blockIf ?? [],
    abortIf: input.abortIf ?? [],
    expect: {
      shiftWithinMs: expect?.shiftWithin ?? DEFAULT_EXPECTATIONS.shiftWithinMs,
      errors: expect?.errors ?? DEFAULT_EXPECTATIONS.errors,
      ...(slowest === undefined ? {} : { slowestMs: slowest }),
    },
    staleAfterMs: input.staleAfter ?? DEFAULT_STALE_AFTER_MS,
  };
}
