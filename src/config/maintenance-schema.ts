import { z } from 'zod';
import { text } from './fields.ts';
import { condition, windowFields, windowOf } from './policy-fields.ts';

const { recurring, once } = windowFields;
const unless = condition({ says: 'Left out while this holds.' }).optional();
const platform = text({ says: 'Who is drained meanwhile.' });

/** In a policy: whose it is stands in each entry. */
export const maintenanceSchema = z
  .union([z.strictObject({ ...recurring, platform, unless }), z.strictObject({ ...once, platform, unless })])
  .transform((given, context) => ({
    platform: given.platform,
    window: windowOf(given, context),
    ...(given.unless === undefined ? {} : { unless: given.unless }),
  }));

/** Of a platform: for every application that runs there, beside what their policies say. */
export const platformMaintenanceSchema = z
  .array(
    z
      .union([z.strictObject({ ...recurring, unless }), z.strictObject({ ...once, unless })])
      .transform((given, context) => ({
        window: windowOf(given, context),
        ...(given.unless === undefined ? {} : { unless: given.unless }),
      })),
  )
  .meta({
    description: 'When the platform is worked on: while one is open it is drained for all applications.',
  });
