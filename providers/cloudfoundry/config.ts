import { z } from 'zod';
import { httpUrl } from '../../src/lib/http-url.ts';

const userCredentials = z.strictObject({ username: z.string().min(1), password: z.string().min(1) });
const clientCredentials = z.strictObject({ clientId: z.string().min(1), clientSecret: z.string().min(1) });

/** A platform's block in sluice.yaml, without `provider`. There is no way to skip the check of certificates. */
export const schema = z.strictObject({
  /** The API's address, as given to `cf api`. */
  api: httpUrl,
  org: z.string().min(1),
  space: z.string().min(1),
  /** The domain of the default route, `<application>.<domain>`; it must exist on the platform. */
  domain: z.string().min(1).toLowerCase(),
  /** Where the platform's router answers, if not at the route's own host name. */
  router: httpUrl.optional(),
  /** PEM text of the authority that signed the certificates of the API, UAA and log-cache. */
  ca: z.string().optional(),
  credentials: z.union([userCredentials, clientCredentials]),
});

export type Options = z.output<typeof schema>;
export type Credentials = Options['credentials'];
