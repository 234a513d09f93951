import { z } from 'zod';
import { choice, decimal, duration, ratio, text } from './fields.ts';

/** `policy:` written out, in the file or in one of its own; everything left out comes from `base`. */
export const policySchema = z
  .strictObject({
    name: text({ says: 'What explanations call it.', otherwise: 'custom' }).optional(),
    base: text({
      says: 'The preset whose values stand where this one says nothing.',
      otherwise: 'active-active',
    }).optional(),
    strategy: choice(
      { says: 'How shares are found: by tiers, and weights within a tier.', otherwise: 'tiered' },
      ['tiered'],
    ).optional(),
    overprovision: decimal(
      {
        says: 'A tier counts as full while its healthy capacity times this covers the demand; then it spills.',
        otherwise: 1.4,
      },
      { min: 1, max: 10 },
    ).optional(),
    holdDown: z
      .strictObject({
        base: duration({
          says: 'How long a platform must be well before it gets traffic back; doubles with each failover in the last hour.',
          otherwise: '60s',
        }).optional(),
        max: duration({ says: 'The longest it grows to.', otherwise: '15m' }).optional(),
      })
      .optional(),
    ramp: z
      .strictObject({
        steps: z
          .array(ratio({ says: 'Part of its full share.' }))
          .min(1)
          .superRefine((steps, context) => {
            const rises = steps.every((step, i) => step > (steps[i - 1] ?? 0));
            if (rises && steps.at(-1) === 1) return;
            context.addIssue({
              code: 'custom',
              message: 'the steps must rise and end at 100%',
              params: { remedy: 'for example [1%, 5%, 25%, 50%, 100%]' },
            });
          })
          .meta({
            description: 'How traffic comes back to a platform, step by step.',
            otherwise: '[1%, 5%, 25%, 50%, 100%]',
          })
          .optional(),
        every: duration({ says: 'How long each step lasts at least.', otherwise: '30s' }).optional(),
      })
      .optional(),
    failback: choice(
      { says: 'Whether traffic comes back on its own once a platform is well again.', otherwise: 'auto' },
      ['auto', 'manual', 'never'],
    ).optional(),
  })
  .meta({ description: 'The policy written out.' });

export type PolicyInput = z.output<typeof policySchema>;
