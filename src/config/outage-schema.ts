import { z } from 'zod';
import { text } from './fields.ts';

const file = (says: string) => text({ says }).optional();

/** Answers that the gateway makes itself in the name of an application. */
const statuses = z
  .strictObject({
    '413': file('The request body is too large.'),
    '429': file('Over the rate limit.'),
    '502': file('The application did not give a valid answer.'),
    '503': file('Nobody can serve, there is no capacity (shed), or the panic page.'),
    '504': file('The application did not answer in time.'),
  })
  .meta({ description: 'A page for one status; it goes before `page`.' });

const page = text({
  says: 'A file for 502, 503 and 504: .html, .txt, .json, .xml or .svg, at most 64 KiB.',
}).optional();

export const outageSchema = z
  .strictObject({
    page,
    statuses: statuses
      .extend({ '404': file('No application is served under the address.') })
      .meta({ description: 'Pages for single statuses; they go before `page`.' })
      .optional(),
    applications: z
      .record(z.string(), z.strictObject({ page, statuses: statuses.optional() }))
      .meta({ description: 'Pages of single applications; they go before those of all.' })
      .optional(),
  })
  .meta({
    description:
      'Pages for what the gateway answers itself; never for answers of applications. Clients that ask for JSON and not for HTML get JSON.',
  });
