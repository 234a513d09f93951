import { z } from 'zod';
import { choice, decimal, duration, ratio, text, whole, yesNo } from './fields.ts';
import { maintenanceSchema } from './maintenance-schema.ts';
import { condition, ruleAct, windowFields, windowOf } from './policy-fields.ts';

const { recurring, once } = windowFields;

const denied = z.array(
  choice({ says: 'What does not begin meanwhile.' }, ['deploy', 'drill', 'failback', 'scale']),
);

const freeze = z
  .union([z.strictObject({ ...recurring, deny: denied }), z.strictObject({ ...once, deny: denied })])
  .transform((given, context) => ({ deny: given.deny, window: windowOf(given, context) }));

const failbackWindow = z
  .union([z.strictObject(recurring), z.strictObject(once)])
  .transform((given, context) => windowOf(given, context))
  .meta({ description: 'With `failback: scheduled`: who waits returns while it is open.' });

const rule = z
  .strictObject({
    name: text({ says: 'What explanations call it.' }),
    priority: whole({ says: 'Higher first.', otherwise: 0 }, { min: -1_000, max: 1_000 }).optional(),
    when: condition({ says: 'In CEL; one that names `target` is asked for each target.' }),
    for: duration({ says: 'How long it must hold without a break.', otherwise: '0s' }).optional(),
    do: z.union([ruleAct.transform((act) => [act]), z.array(ruleAct).min(1)]),
  })
  .superRefine(({ when, do: acts }, context) => {
    const moves = acts.some(({ kind }) => kind === 'shift' || kind === 'drain');
    if (!moves || when.perTarget) return;
    const params = { remedy: 'name `target` in the condition, or use notify, propose or scale' };
    context.addIssue({
      code: 'custom',
      path: ['when'],
      message: 'it moves traffic and does not say whose',
      params,
    });
  });

const safetyRule = z.union([
  z.strictObject({
    name: text({ says: 'What a veto calls it.' }),
    assert: condition({ says: 'Must hold after anything voluntary.' }),
    unless: choice({ says: 'When it does not count.' }, ['panic']).optional(),
  }),
  z.strictObject({
    name: text({ says: 'What a veto calls it.' }),
    gate: condition({ says: 'While it does not hold nothing voluntary happens.' }),
  }),
  z.strictObject({
    name: text({ says: 'What a veto calls it.' }),
    floor: ratio({ says: 'Part of the demand that those with a share must be able to carry.' }),
  }),
]);

/** `policy:` written out, in the file or in one of its own; everything left out comes from `base`. */
export const policySchema = z
  .strictObject({
    name: text({ says: 'What explanations call it.', otherwise: 'custom' }).optional(),
    base: text({
      says: 'The preset whose values stand where this one says nothing.',
      otherwise: 'active-active',
    }).optional(),
    strategy: choice(
      {
        says: 'How shares are found: by tiers, one platform at a time, by weight, or by latency.',
        otherwise: 'tiered',
      },
      ['tiered', 'primary', 'weighted', 'lowest-latency'],
    ).optional(),
    primary: z
      .strictObject({
        order: z
          .array(text({ says: 'A platform.' }))
          .meta({ description: 'Best first.' })
          .optional(),
        switch: choice(
          {
            says: 'Stay where it is until it must leave; go back to the best that can; the first or nobody.',
            otherwise: 'failover',
          },
          ['failover', 'best', 'strict'],
        ).optional(),
      })
      .meta({ description: 'For `strategy: primary`.' })
      .optional(),
    overprovision: decimal(
      {
        says: 'A tier counts as full while its healthy capacity times this covers the demand; then it spills.',
        otherwise: 1.4,
      },
      { min: 1, max: 10 },
    ).optional(),
    overload: choice(
      {
        says: 'What happens to more than all can carry: sent all the same, or answered 503.',
        otherwise: 'send',
      },
      ['send', 'shed'],
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
    stickiness: z
      .strictObject({
        drain: duration({
          says: 'How long clients may stay where somebody ordered a drain, or maintenance has begun; 0s moves them at once.',
          otherwise: '10m',
        }).optional(),
        breakOn: z
          .array(
            choice({ says: 'When clients are moved.' }, ['down', 'fenced', 'drained', 'degraded', 'moved']),
          )
          .meta({
            description:
              'When clients are moved: always when their platform is down, fenced, or drained for longer than `drain`. `degraded`: also when it serves worse than the policy wants; `moved`: also when it has no share any more, as after a failback.',
            otherwise: '[down, fenced, drained]',
          })
          .optional(),
      })
      .meta({ description: 'What becomes of clients of routes with `affinity` when traffic moves.' })
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
      ['auto', 'manual', 'never', 'scheduled'],
    ).optional(),
    failbackWindow: failbackWindow.optional(),
    flap: z
      .strictObject({
        start: ratio({
          says: 'Changes among the last 21 checks from which it flaps.',
          otherwise: '20%',
        }).optional(),
        stop: ratio({ says: 'Below it, it is calm again.', otherwise: '5%' }).optional(),
      })
      .meta({ description: 'Who flaps does not return.' })
      .optional(),
    panic: z
      .strictObject({
        below: ratio({ says: 'Part of the needed capacity that is healthy.', otherwise: '30%' }).optional(),
        mode: choice(
          {
            says: 'The last good shares stand; everybody is asked; what fits is served; a page.',
            otherwise: 'last-known-good',
          },
          ['last-known-good', 'fail-open', 'shed', 'static'],
        ).optional(),
        exitAfter: duration({
          says: 'There must have been enough for this long.',
          otherwise: '0s',
        }).optional(),
      })
      .meta({ description: 'When very little is left.' })
      .optional(),
    maintenance: z.array(maintenanceSchema).meta({ description: 'When platforms are drained.' }).optional(),
    freeze: z.array(freeze).meta({ description: 'When things do not begin.' }).optional(),
    maxShift: ratio({
      says: 'Part of all traffic that may move voluntarily within a minute.',
      otherwise: '100%',
    }).optional(),
    minDelay: duration({
      says: 'After an automatic failover before anything voluntary.',
      otherwise: '0s',
    }).optional(),
    maxFailovers: whole(
      {
        says: 'Automatic failovers within an hour; then automation freezes and calls a person.',
        otherwise: 3,
      },
      { min: 1, max: 10_000 },
    ).optional(),
    rules: z.array(rule).meta({ description: 'Conditions and what follows.' }).optional(),
    safety: z
      .array(safetyRule)
      .meta({ description: 'Evaluated last; may only veto what is voluntary.' })
      .optional(),
    budget: z
      .strictObject({
        objective: ratio({ says: 'Part of the requests that must succeed.' }),
        triggers: z
          .array(
            z.strictObject({
              windows: z.tuple([
                duration({ says: 'The long window, 10s to 6h.' }, { min: 10_000, max: 21_600_000 }),
                duration({ says: 'The short window.' }, { min: 10_000, max: 21_600_000 }),
              ]),
              rate: decimal({ says: 'Times the budget.' }, { min: 0.1, max: 10_000 }),
              do: ruleAct,
            }),
          )
          .min(1),
      })
      .meta({ description: 'Error budget, by burn rate over pairs of windows.' })
      .optional(),
    cost: z
      .strictObject({
        maxP95: duration({ says: 'The cheaper one is preferred up to this.' }).optional(),
        maxErrors: ratio({ says: 'The same for failed requests.' }).optional(),
      })
      .meta({ description: 'The cheaper targets first, while the objectives hold.' })
      .optional(),
    scale: z
      .strictObject({
        withFailover: yesNo({
          says: 'The survivors of a failover grow to the demand, up to their maxInstances.',
          otherwise: true,
        }).optional(),
        backAfter: duration({ says: 'After everybody is back.', otherwise: '10m' }).optional(),
      })
      .optional(),
    degraded: z
      .strictObject({
        p95: duration({ says: 'Slower than this counts as degraded.' }).optional(),
        errors: ratio({ says: 'Failing more than this counts as degraded.' }).optional(),
      })
      .optional(),
  })
  .meta({ description: 'The policy written out.' });

export type PolicyInput = z.output<typeof policySchema>;
