import { z } from 'zod';
import { httpUrl } from '../../src/lib/http-url.ts';

/** A name as Kubernetes takes it for namespaces and services (RFC 1123 label). */
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** `serviceAccount`: whose token it is; then others are asked for before it ends. */
const tokenCredentials = z.strictObject({
  token: z.string().min(1),
  serviceAccount: z.string().max(253).regex(LABEL, 'must be the name of a service account').optional(),
});
/** A file that somebody else keeps up to date. */
const fileCredentials = z.strictObject({ tokenFile: z.string().min(1) });
const userCredentials = z.strictObject({ username: z.string().min(1), password: z.string().min(1) });

export const DEFAULT_BUILDER = 'registry.access.redhat.com/ubi9/nodejs-20:latest';

/** A platform's block in sluice.yaml, without `provider`. */
export const schema = z.strictObject({
  /** The API server, e.g. `https://api.ocp.example.com:6443`. */
  api: httpUrl,
  namespace: z
    .string()
    .max(63)
    .regex(LABEL, 'must be the name of a project: lower case letters, digits and -'),
  /** Where the platform's router answers, if not at the route's own host name. */
  router: httpUrl.optional(),
  /** PEM text of the authority that signed the API's certificate. */
  ca: z.string().optional(),
  credentials: z.union([tokenCredentials, fileCredentials, userCredentials]),
  /** `openshift/nodejs:20-ubi9` is an ImageStreamTag in project `openshift`; with a registry's host it is a docker image. */
  builder: z.string().min(1).default(DEFAULT_BUILDER),
  /** Host of the application's own route; `{application}` stands for its name. Left out, the platform chooses. */
  routeHost: z.string().min(1).optional(),
  /** Where the cluster has no Routes. */
  ingress: z
    .strictObject({
      /** Whose it is; left out: the cluster's default. */
      class: z.string().min(1).optional(),
      /** A Secret with the certificate; left out: the ingress controller's own. */
      tlsSecret: z.string().min(1).optional(),
    })
    .default({}),
});

export type Options = z.output<typeof schema>;
