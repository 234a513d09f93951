import { z } from 'zod';
import type { AutoscaleSettings, LoadSettings } from '../core/autoscale.ts';
import { checkCron } from './cron-check.ts';
import { duration, rate, ratio, text, whole } from './fields.ts';

const COOL_DOWN_MS = 300_000;
const count = (says: string) => whole({ says }, { min: 1, max: 1_000 });

const scheduledSchema = z
  .strictObject({
    cron: text({ says: 'From when on: minute, hour, day, month, weekday.' }),
    timezone: text({ says: 'IANA name.', otherwise: 'UTC' }).optional(),
    instances: count('So many on each platform, until the next entry’s time.'),
    on: z
      .array(text({ says: 'A target.' }))
      .min(1)
      .meta({ description: 'Only on these platforms. Left out: on all.' })
      .optional(),
  })
  .superRefine(({ cron, timezone }, context) => checkCron(cron, timezone, context))
  .meta({ description: 'A size from a time on.' });

const loadSchema = z
  .strictObject({
    rate: rate({ says: 'Requests one instance is to have: 50rps.' }).optional(),
    latency: duration(
      { says: 'What 95 % of the responses are to begin within.' },
      { min: 1, max: 3_600_000 },
    ).optional(),
    cpu: ratio({
      says: 'Part of one core that an instance is to use; needs a platform that tells.',
    }).optional(),
    min: whole({ says: 'Never fewer.', otherwise: 1 }, { min: 1, max: 1_000 }).optional(),
    max: count('Never more; `maxInstances` of a target bounds it too.'),
    coolDown: duration(
      { says: 'It shrinks to the most that was wanted within this time; it grows at once.', otherwise: '5m' },
      { min: 10_000, max: 86_400_000 },
    ).optional(),
  })
  .superRefine((load, context) => {
    if (load.rate === undefined && load.latency === undefined && load.cpu === undefined) {
      const params = { remedy: 'add rate, latency or cpu' };
      context.addIssue({ code: 'custom', message: 'there is nothing to go by', params });
    }
    if ((load.min ?? 1) > load.max) {
      const params = { remedy: 'make it as high as `min`' };
      context.addIssue({ code: 'custom', path: ['max'], message: 'less than `min`', params });
    }
  })
  .meta({ description: 'How many instances the load asks for, on each platform by its own load.' });

/** `applications.NAME.scale`. */
export const scaleSchema = z
  .strictObject({
    schedule: z
      .array(scheduledSchema)
      .meta({ description: 'Sizes by the clock; with `load` they are its lower bound.' })
      .optional(),
    load: loadSchema.optional(),
  })
  .meta({
    description:
      'Who changes the number of instances while `sluice serve` runs. A person’s order and a failover stand above it.',
  });

export function assembleScale({ schedule = [], load }: z.output<typeof scaleSchema>): AutoscaleSettings {
  return {
    schedule: schedule.map(({ cron, timezone, instances, on }) => ({
      ...{ cron, timeZone: timezone ?? 'UTC', instances },
      ...(on === undefined ? {} : { on }),
    })),
    ...(load === undefined ? {} : { load: assembleLoad(load) }),
  };
}

function assembleLoad(load: z.output<typeof loadSchema>): LoadSettings {
  return {
    ...(load.rate === undefined ? {} : { rpsPerInstance: load.rate.rps }),
    ...(load.latency === undefined ? {} : { latencyMs: load.latency }),
    ...(load.cpu === undefined ? {} : { cpu: load.cpu }),
    min: load.min ?? 1,
    max: load.max,
    coolDownMs: load.coolDown ?? COOL_DOWN_MS,
  };
}
