import type { Build, BuildConfig, ImageStream, Route } from './openshift-types.ts';
import type { Deployment, Pod, ReplicaSet } from './pod-types.ts';
import type {
  ConfigMap,
  EndpointSlice,
  EventObject,
  KubeObject,
  Namespace,
  Secret,
  Service,
  ServiceAccount,
} from './types.ts';

/** One served kind. The table below is the whole API surface: discovery, paths and error texts come from it. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly inAll: boolean;
  /** `metadata.generation` counts changes of `spec`. Routes, services and pods have none on the real servers. */
  readonly generation: boolean;
  /** `status` can only be written through `/status`. */
  readonly statusSubresource: boolean;
  /** Clients may only look: controllers own it. */
  readonly readOnly: boolean;
  readonly subresources: readonly SubresourceType[];
  /** Never set: ties the kind's type to its entry. */
  readonly of?: T;
}

interface SubresourceType {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly group?: string;
  readonly version?: string;
}

interface Options {
  readonly shortNames?: readonly string[];
  readonly clusterScoped?: boolean;
  readonly inAll?: boolean;
  readonly generation?: boolean;
  readonly status?: boolean;
  readonly readOnly?: boolean;
  readonly subresources?: readonly SubresourceType[];
}

function resource<T extends KubeObject>(
  groupVersion: string,
  kind: string,
  plural: string,
  options: Options = {},
): ResourceType<T> {
  const slash = groupVersion.indexOf('/');
  const status: readonly SubresourceType[] = options.status
    ? [{ name: 'status', kind, verbs: ['get', 'patch', 'update'] }]
    : [];
  return {
    group: slash < 0 ? '' : groupVersion.slice(0, slash),
    version: slash < 0 ? groupVersion : groupVersion.slice(slash + 1),
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced: !options.clusterScoped,
    shortNames: options.shortNames ?? [],
    inAll: options.inAll ?? false,
    generation: options.generation ?? false,
    statusSubresource: options.status ?? false,
    readOnly: options.readOnly ?? false,
    subresources: [...(options.subresources ?? []), ...status],
  };
}

const SCALE: SubresourceType = {
  name: 'scale',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  verbs: ['get', 'patch', 'update'],
};

export const NAMESPACES = resource<Namespace>('v1', 'Namespace', 'namespaces', {
  shortNames: ['ns'],
  clusterScoped: true,
  status: true,
});
export const PODS = resource<Pod>('v1', 'Pod', 'pods', {
  shortNames: ['po'],
  inAll: true,
  status: true,
  subresources: [{ name: 'log', kind: 'Pod', verbs: ['get'] }],
});
export const SERVICES = resource<Service>('v1', 'Service', 'services', {
  shortNames: ['svc'],
  inAll: true,
  status: true,
});
export const SECRETS = resource<Secret>('v1', 'Secret', 'secrets');
export const CONFIG_MAPS = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] });
export const SERVICE_ACCOUNTS = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts', {
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'TokenRequest',
      verbs: ['create'],
    },
  ],
});
export const EVENTS = resource<EventObject>('v1', 'Event', 'events', { shortNames: ['ev'] });
export const DEPLOYMENTS = resource<Deployment>('apps/v1', 'Deployment', 'deployments', {
  shortNames: ['deploy'],
  inAll: true,
  generation: true,
  status: true,
  subresources: [SCALE],
});
export const REPLICA_SETS = resource<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', {
  shortNames: ['rs'],
  inAll: true,
  generation: true,
  status: true,
  subresources: [SCALE],
});
export const ENDPOINT_SLICES = resource<EndpointSlice>(
  'discovery.k8s.io/v1',
  'EndpointSlice',
  'endpointslices',
  { generation: true },
);
export const ROUTES = resource<Route>('route.openshift.io/v1', 'Route', 'routes', {
  inAll: true,
  status: true,
});
export const IMAGE_STREAMS = resource<ImageStream>('image.openshift.io/v1', 'ImageStream', 'imagestreams', {
  shortNames: ['is'],
  inAll: true,
  generation: true,
  status: true,
});
/** Computed from the image streams, never stored. */
export const IMAGE_STREAM_TAGS = resource('image.openshift.io/v1', 'ImageStreamTag', 'imagestreamtags', {
  shortNames: ['istag'],
  readOnly: true,
});
export const BUILD_CONFIGS = resource<BuildConfig>('build.openshift.io/v1', 'BuildConfig', 'buildconfigs', {
  shortNames: ['bc'],
  inAll: true,
  generation: true,
  subresources: [
    { name: 'instantiate', kind: 'BuildRequest', verbs: ['create'] },
    { name: 'instantiatebinary', kind: 'BinaryBuildRequestOptions', verbs: ['create'] },
  ],
});
export const BUILDS = resource<Build>('build.openshift.io/v1', 'Build', 'builds', {
  inAll: true,
  generation: true,
  subresources: [{ name: 'log', kind: 'BuildLog', verbs: ['get'] }],
});
/** Namespaces as their owner sees them; stored as namespaces. */
export const PROJECTS = resource<Namespace>('project.openshift.io/v1', 'Project', 'projects', {
  clusterScoped: true,
});
export const PROJECT_REQUESTS = resource('project.openshift.io/v1', 'ProjectRequest', 'projectrequests', {
  clusterScoped: true,
});
export const SELF_SUBJECT_REVIEWS = resource(
  'authentication.k8s.io/v1',
  'SelfSubjectReview',
  'selfsubjectreviews',
  { clusterScoped: true },
);
export const SELF_SUBJECT_ACCESS_REVIEWS = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
  { clusterScoped: true },
);

export const RESOURCES: readonly ResourceType[] = [
  NAMESPACES,
  PODS,
  SERVICES,
  SECRETS,
  CONFIG_MAPS,
  SERVICE_ACCOUNTS,
  EVENTS,
  DEPLOYMENTS,
  REPLICA_SETS,
  ENDPOINT_SLICES,
  ROUTES,
  IMAGE_STREAMS,
  IMAGE_STREAM_TAGS,
  BUILD_CONFIGS,
  BUILDS,
  PROJECTS,
  PROJECT_REQUESTS,
  SELF_SUBJECT_REVIEWS,
  SELF_SUBJECT_ACCESS_REVIEWS,
];

/** `v1`, `apps/v1`. */
export function groupVersion(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** `deployments.apps`, `pods`: how error texts name a resource. */
export function qualified(type: ResourceType): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

export function findResource(group: string, version: string, plural: string): ResourceType | undefined {
  return RESOURCES.find((type) => type.group === group && type.version === version && type.plural === plural);
}
