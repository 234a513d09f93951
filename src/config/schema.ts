import { z } from 'zod';
import { isTimeZone } from '../lib/cron-window.ts';
import { applicationSchema } from './application-schema.ts';
import { checkedText, text } from './fields.ts';
import { gatewaySchema } from './gateway-schema.ts';

const NAME = '^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$';

/** Names become parts of host names, of Kubernetes objects and of file names: the strictest of them rules. */
function name(what: string) {
  return checkedText({ says: `Name of the ${what}.` }, NAME, (given) =>
    new RegExp(NAME).test(given)
      ? undefined
      : {
          fault: `not a name for ${what === 'application' ? 'an' : 'a'} ${what}`,
          remedy: 'lower-case letters, digits and dashes, a letter first, at most 40 characters',
        },
  );
}

/**
 * All of `sluice.yaml` that is built. The blocks of `platforms` are open here: `load.ts` decodes each by its
 * provider's own schema. What the design names and nobody has built yet stands in `not-yet.ts`.
 */
export const rootSchema = z.strictObject({
  version: z.literal(1).meta({ description: 'The version of this format.' }),
  platforms: z
    .record(
      name('platform'),
      z
        .looseObject({ provider: text({ says: 'The kind of platform.' }) })
        .meta({ description: 'One platform.' }),
    )
    .meta({ description: 'The platforms by the names you give them.' }),
  applications: z
    .record(name('application'), applicationSchema)
    .meta({ description: 'The applications by name.' }),
  timezone: checkedText(
    { says: 'Of all `cron` and `schedule` in this file that name none: an IANA name.', otherwise: 'UTC' },
    '.+',
    (zone) =>
      isTimeZone(zone)
        ? undefined
        : { fault: 'not a time zone', remedy: 'an IANA name, for example Europe/Berlin' },
  ).optional(),
  gateway: gatewaySchema.optional(),
  state: z
    .strictObject({
      dir: text({
        says: 'The folder for journal, releases and the last table.',
        otherwise: '.sluice',
      }).optional(),
    })
    .meta({ description: 'Where Sluice remembers.' })
    .optional(),
});

export type RootInput = z.output<typeof rootSchema>;
