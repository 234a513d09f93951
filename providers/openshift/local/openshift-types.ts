import type { JsonObject } from './json.ts';
import type { Base, Condition } from './types.ts';

/** What OpenShift adds to Kubernetes. */

export type RouteBackend = { kind: string; name: string; weight?: number };

type RouteIngress = {
  host: string;
  routerName: string;
  routerCanonicalHostname: string;
  wildcardPolicy: string;
  conditions: Condition[];
};

export type Route = Base & {
  spec: {
    host?: string;
    subdomain?: string;
    path?: string;
    to: RouteBackend;
    alternateBackends?: RouteBackend[];
    port?: { targetPort: number | string };
    tls?: { termination: string; insecureEdgeTerminationPolicy?: string };
    wildcardPolicy?: string;
  };
  /** A custom resource has none until a router has looked. */
  status?: { ingress?: RouteIngress[] };
};

export type ImageStream = Base & {
  spec: { lookupPolicy: { local: boolean }; tags?: JsonObject[] };
  status: {
    dockerImageRepository: string;
    tags?: { tag: string; items: ImageStreamItem[] }[];
  };
};

type ImageStreamItem = {
  created: string;
  dockerImageReference: string;
  image: string;
  generation: number;
};

export type BuildConfig = Base & {
  spec: {
    runPolicy: string;
    source?: JsonObject;
    strategy: JsonObject;
    output: { to?: { kind: string; name: string; namespace?: string } };
  };
  status: { lastVersion: number };
};

export type Build = Base & {
  spec: JsonObject;
  status: {
    phase: string;
    reason?: string;
    message?: string;
    cancelled?: boolean;
    startTimestamp?: string;
    completionTimestamp?: string;
    duration?: number;
    outputDockerImageReference?: string;
    config?: { kind: string; namespace: string; name: string };
    output: { to?: { imageDigest: string } };
    logSnippet?: string;
    conditions?: Condition[];
  };
};
