import { z } from 'zod';
import { choice, decimal, duration, rate, ratio, text, whole } from './fields.ts';

const span = {
  at: duration({ says: 'When it begins, from the start.' }),
  for: duration({ says: 'How long; left out: to the end.' }).optional(),
};

const fault = z.union([
  z.strictObject({
    ...span,
    is: choice({ says: 'What befalls it.' }, ['down', 'frozen', 'no-route', 'api-down', 'crashed']),
  }),
  z.strictObject({
    ...span,
    is: z.literal('flapping'),
    every: duration({ says: 'Changes after this long.' }, { min: 100 }),
  }),
  z.strictObject({ ...span, is: z.literal('failing'), errors: ratio({ says: 'Part that answers 500.' }) }),
  z.strictObject({
    ...span,
    is: choice({ says: 'At once, or by and by.' }, ['slow', 'creeping']),
    latency: duration({ says: 'Median.' }),
  }),
  z.strictObject({
    ...span,
    is: z.literal('instances'),
    running: whole({ says: 'How many run.' }, { min: 0, max: 100_000 }),
  }),
]);

const platform = z.strictObject({
  tier: whole({ says: '1 is tried first.', otherwise: 1 }, { min: 1, max: 100 }).optional(),
  weight: decimal({ says: 'Within its tier.', otherwise: 1 }, { min: 0, max: 1_000_000 }).optional(),
  instances: whole({ says: 'At the start.', otherwise: 2 }, { min: 0, max: 100_000 }).optional(),
  maxInstances: whole({ says: 'How far it may grow.' }, { min: 0, max: 100_000 }).optional(),
  capacity: rate({ says: '90rps/instance, or 400rps for the whole.' }).optional(),
  cost: decimal({ says: 'Money for one instance-hour.' }, { min: 0, max: 1_000_000 }).optional(),
  standby: choice({ says: 'What it does while nobody needs it.' }, [
    'hot',
    'warm',
    'pilot-light',
    'cold',
  ]).optional(),
  latency: duration({ says: 'Median, at rest.', otherwise: '20ms' }).optional(),
  scaleTime: duration({ says: 'Until ordered instances serve.', otherwise: '30s' }).optional(),
  faults: z.array(fault).optional(),
});

const expectation = z.strictObject({
  unserved: ratio({ says: 'Part of all requests that nobody served, at most.' }).optional(),
  shifts: whole({ says: 'Changes of shares, at most.' }, { min: 0, max: 1_000_000 }).optional(),
  shares: z
    .array(
      z.strictObject({
        at: duration({ says: 'When, from the start.' }),
        within: ratio({ says: 'How far off it may be.', otherwise: '2%' }).optional(),
        are: z.record(z.string(), ratio({ says: 'Share.' })),
      }),
    )
    .optional(),
  served: z
    .array(
      z.strictObject({
        at: duration({ says: 'When, from the start.' }),
        within: ratio({ says: 'How far off it may be.', otherwise: '2%' }).optional(),
        are: z.record(z.string(), ratio({ says: 'Part of what is asked of the route.' })),
      }),
    )
    .optional(),
  events: z
    .array(
      z.strictObject({
        type: text({ says: 'As in docs/operating.md.' }),
        says: text({ says: 'In its line.' }),
        at: duration({ says: 'When, from the start; left out: at any time.' }).optional(),
        within: duration({ says: 'How much later it may be.', otherwise: '3s' }).optional(),
      }),
    )
    .optional(),
  never: z
    .array(
      z.strictObject({
        type: text({ says: 'As in docs/operating.md.' }),
        says: text({ says: 'In its line.' }),
      }),
    )
    .optional(),
});

/** A scenario for `sluice simulate`. */
export const scenarioSchema = z
  .strictObject({
    version: z.literal(1),
    name: text({ says: 'What it is called.' }).optional(),
    start: text({ says: 'When it begins, for windows.', otherwise: '2026-01-05T09:00:00Z' }).optional(),
    duration: duration({ says: 'How long it lasts.' }, { min: 1_000, max: 7 * 86_400_000 }),
    demand: z.union([
      rate({ says: 'All the time.' }).transform((steady) => [{ at: 0, rps: steady }]),
      z.array(z.strictObject({ at: span.at, rps: rate({ says: 'Requests for all.' }) })).min(1),
    ]),
    platforms: z.record(z.string(), platform),
    routes: z
      .record(
        z.string(),
        z.strictObject({
          part: ratio({ says: 'Of the demand; those of all routes sum to 100%.' }),
          priority: whole(
            { says: 'Higher is served longer when something is shed.', otherwise: 0 },
            { min: -1000, max: 1000 },
          ).optional(),
        }),
      )
      .optional(),
    acts: z
      .array(
        z.strictObject({
          ...span,
          act: choice({ says: 'What a person orders.' }, ['drain', 'failover', 'failback', 'hold', 'fence']),
          platform: text({ says: 'Where.' }).optional(),
        }),
      )
      .optional(),
    releases: z.array(duration({ says: 'When one goes live.' })).optional(),
    cutOff: z.array(z.strictObject(span)).meta({ description: 'This machine reaches nobody.' }).optional(),
    stateLost: z
      .array(z.strictObject(span))
      .meta({ description: 'The state store does not answer.' })
      .optional(),
    clockJumps: z
      .array(z.strictObject({ at: span.at, by: text({ says: '1h, or -1h.' }) }))
      .meta({ description: 'The calendar of this machine leaps.' })
      .optional(),
    data: z
      .strictObject({
        writes: choice({ says: 'Where.' }, ['anywhere', 'single', 'none']),
        writer: text({ says: 'Who begins.' }).optional(),
      })
      .optional(),
    expect: expectation.optional(),
  })
  .meta({ description: 'A scenario for `sluice simulate`.' });

export type ScenarioInput = z.output<typeof scenarioSchema>;
