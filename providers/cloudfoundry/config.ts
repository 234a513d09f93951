import { z } from 'zod';
import { httpUrl } from '../../src/lib/http-url.ts';

const userCredentials = z.strictObject({ username: z.string().min(1), password: z.string().min(1) });
const clientCredentials = z.strictObject({ clientId: z.string().min(1), clientSecret: z.string().min(1) });

/** Cloud Foundry on Kubernetes (Korifi) has the cluster's own login: what a kubeconfig holds. */
const tokenCredentials = z.strictObject({ token: z.string().min(1) });
/** A file that somebody else keeps up to date. */
const fileCredentials = z.strictObject({ tokenFile: z.string().min(1) });
const PEM = /-----BEGIN [A-Z ]+-----/;
const certificateCredentials = z.strictObject({
  certificate: z.string().regex(PEM, 'must be PEM text'),
  key: z.string().regex(PEM, 'must be PEM text'),
});
const uaaCredentials = z.union([userCredentials, clientCredentials]);
const kubernetesCredentials = z.union([tokenCredentials, fileCredentials, certificateCredentials]);

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
  credentials: z.union([...uaaCredentials.options, ...kubernetesCredentials.options]),
});

export type Options = z.output<typeof schema>;
export type UaaCredentials = z.output<typeof uaaCredentials>;
export type KubernetesCredentials = z.output<typeof kubernetesCredentials>;
