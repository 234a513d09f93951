import type { ZodType } from 'zod';
import * as wire from './wire.ts';

/** One kind of thing in the API: where it lives and how it is read. */
export interface Resource<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly schema: ZodType<T>;
}

const BUILD = 'build.openshift.io/v1';
const IMAGE = 'image.openshift.io/v1';

export const DEPLOYMENT = resource('apps/v1', 'Deployment', 'deployments', wire.deploymentSchema);
export const REPLICA_SET = resource('apps/v1', 'ReplicaSet', 'replicasets', wire.replicaSetSchema);
export const JOB = resource('batch/v1', 'Job', 'jobs', wire.jobSchema);
export const POD = resource('v1', 'Pod', 'pods', wire.podSchema);
export const SERVICE = resource('v1', 'Service', 'services', wire.thingSchema);
export const SECRET = resource('v1', 'Secret', 'secrets', wire.secretSchema);
export const SERVICE_ACCOUNT = resource('v1', 'ServiceAccount', 'serviceaccounts', wire.thingSchema);
export const ROUTE = resource('route.openshift.io/v1', 'Route', 'routes', wire.routeSchema);
/** Read as the Route that it stands for where there are no Routes. */
export const INGRESS = resource('networking.k8s.io/v1', 'Ingress', 'ingresses', wire.ingressSchema);
/** What pods use, measured now and then. */
export const METRICS = resource('metrics.k8s.io/v1beta1', 'PodMetrics', 'pods', wire.podMetricsSchema);
export const IMAGE_STREAM = resource(IMAGE, 'ImageStream', 'imagestreams', wire.thingSchema);
export const IMAGE_STREAM_TAG = resource(
  IMAGE,
  'ImageStreamTag',
  'imagestreamtags',
  wire.imageStreamTagSchema,
);
export const BUILD_CONFIG = resource(BUILD, 'BuildConfig', 'buildconfigs', wire.thingSchema);
export const AUTOSCALER = resource(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
  wire.autoscalerSchema,
);
export const CLAIM = resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', wire.claimSchema);
export const RESOURCE_QUOTA = resource('v1', 'ResourceQuota', 'resourcequotas', wire.resourceQuotaSchema);
export const EVENT = resource('v1', 'Event', 'events', wire.happeningSchema);
export const BUILD_RUN = resource(BUILD, 'Build', 'builds', wire.buildSchema);

/** All that an observation is made of, but for Secrets: of those we keep no copies. */
export const WATCHED: readonly Resource<wire.Thing>[] = [
  DEPLOYMENT,
  REPLICA_SET,
  POD,
  SERVICE,
  ROUTE,
  INGRESS,
  IMAGE_STREAM,
  BUILD_RUN,
];

function resource<T>(apiVersion: string, kind: string, plural: string, schema: ZodType<T>): Resource<T> {
  return { apiVersion, kind, plural, schema };
}

/** `/apis/apps/v1/namespaces/shop/deployments/web`; only the core group lives under `/api`. */
export function pathOf(resource: Resource<unknown>, namespace: string, name?: string): string {
  const root = resource.apiVersion.includes('/')
    ? `/apis/${resource.apiVersion}`
    : `/api/${resource.apiVersion}`;
  const collection = `${root}/namespaces/${namespace}/${resource.plural}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}
