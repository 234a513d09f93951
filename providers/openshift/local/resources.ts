import type {
  Autoscaler,
  CronJob,
  DisruptionBudget,
  Ingress,
  Job,
  LimitRange,
  PersistentVolumeClaim,
} from './batch-types.ts';
import type { Build, BuildConfig, ImageStream, Route } from './openshift-types.ts';
import type { Deployment, Pod, ReplicaSet } from './pod-types.ts';
import type {
  ConfigMap,
  EndpointSlice,
  EventObject,
  KubeObject,
  Namespace,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
} from './types.ts';

/**
 * Which control plane is played: a full OpenShift with its aggregated API servers, a MicroShift (Routes as a custom
 * resource, no builds, images or projects), or a plain Kubernetes without any of it.
 */
export const MODES = ['openshift', 'microshift', 'kubernetes'] as const;
export type Mode = (typeof MODES)[number];

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
  /** Where it exists at all. */
  readonly modes: readonly Mode[];
  /** The verbs, where they are not those of a stored kind. */
  readonly verbs: readonly string[] | undefined;
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
  readonly modes?: readonly Mode[];
  readonly verbs?: readonly string[];
  readonly singular?: string;
  readonly subresources?: readonly SubresourceType[];
}

const EVERYWHERE: readonly Mode[] = MODES;
const WITH_ROUTES: readonly Mode[] = ['openshift', 'microshift'];
const ONLY_OPENSHIFT: readonly Mode[] = ['openshift'];

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
    singular: options.singular ?? kind.toLowerCase(),
    kind,
    namespaced: !options.clusterScoped,
    shortNames: options.shortNames ?? [],
    inAll: options.inAll ?? false,
    generation: options.generation ?? false,
    statusSubresource: options.status ?? false,
    readOnly: options.readOnly ?? false,
    modes: options.modes ?? EVERYWHERE,
    verbs: options.verbs,
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
  modes: WITH_ROUTES,
  status: true,
});
export const IMAGE_STREAMS = resource<ImageStream>('image.openshift.io/v1', 'ImageStream', 'imagestreams', {
  modes: ONLY_OPENSHIFT,
  shortNames: ['is'],
  inAll: true,
  generation: true,
  status: true,
});
/** Computed from the image streams, never stored. */
export const IMAGE_STREAM_TAGS = resource('image.openshift.io/v1', 'ImageStreamTag', 'imagestreamtags', {
  modes: ONLY_OPENSHIFT,
  shortNames: ['istag'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'],
});
/** A push: a registry says what lies under a tag now. */
export const IMAGE_STREAM_MAPPINGS = resource(
  'image.openshift.io/v1',
  'ImageStreamMapping',
  'imagestreammappings',
  { modes: ONLY_OPENSHIFT, verbs: ['create'] },
);
export const BUILD_CONFIGS = resource<BuildConfig>('build.openshift.io/v1', 'BuildConfig', 'buildconfigs', {
  modes: ONLY_OPENSHIFT,
  shortNames: ['bc'],
  inAll: true,
  generation: true,
  subresources: [
    { name: 'instantiate', kind: 'BuildRequest', verbs: ['create'] },
    { name: 'instantiatebinary', kind: 'BinaryBuildRequestOptions', verbs: ['create'] },
  ],
});
export const BUILDS = resource<Build>('build.openshift.io/v1', 'Build', 'builds', {
  modes: ONLY_OPENSHIFT,
  inAll: true,
  generation: true,
  subresources: [
    { name: 'clone', kind: 'BuildRequest', verbs: ['create'] },
    { name: 'details', kind: 'Build', verbs: ['update'] },
    { name: 'log', kind: 'BuildLog', verbs: ['get'] },
  ],
});
/** Namespaces as their owner sees them; stored as namespaces. */
export const PROJECTS = resource<Namespace>('project.openshift.io/v1', 'Project', 'projects', {
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  modes: ONLY_OPENSHIFT,
  clusterScoped: true,
});
export const PROJECT_REQUESTS = resource('project.openshift.io/v1', 'ProjectRequest', 'projectrequests', {
  verbs: ['create', 'list'],
  modes: ONLY_OPENSHIFT,
  clusterScoped: true,
});
export const RESOURCE_QUOTAS = resource<ResourceQuota>('v1', 'ResourceQuota', 'resourcequotas', {
  shortNames: ['quota'],
  status: true,
});
export const LIMIT_RANGES = resource<LimitRange>('v1', 'LimitRange', 'limitranges', {
  shortNames: ['limits'],
});
export const PERSISTENT_VOLUME_CLAIMS = resource<PersistentVolumeClaim>(
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
  { shortNames: ['pvc'], status: true },
);
export const JOBS = resource<Job>('batch/v1', 'Job', 'jobs', {
  inAll: true,
  generation: true,
  status: true,
});
export const CRON_JOBS = resource<CronJob>('batch/v1', 'CronJob', 'cronjobs', {
  shortNames: ['cj'],
  inAll: true,
  generation: true,
  status: true,
});
export const AUTOSCALERS = resource<Autoscaler>(
  'autoscaling/v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
  { shortNames: ['hpa'], inAll: true, status: true },
);
export const DISRUPTION_BUDGETS = resource<DisruptionBudget>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
  { shortNames: ['pdb'], generation: true, status: true },
);
export const INGRESSES = resource<Ingress>('networking.k8s.io/v1', 'Ingress', 'ingresses', {
  shortNames: ['ing'],
  generation: true,
  status: true,
});
export const ROLES = resource<Role>('rbac.authorization.k8s.io/v1', 'Role', 'roles');
export const ROLE_BINDINGS = resource<RoleBinding>(
  'rbac.authorization.k8s.io/v1',
  'RoleBinding',
  'rolebindings',
);
/** What pods may ask of a node; there is `restricted-v2`, and nobody may use more. */
export const SECURITY_CONTEXT_CONSTRAINTS = resource(
  'security.openshift.io/v1',
  'SecurityContextConstraints',
  'securitycontextconstraints',
  { shortNames: ['scc'], clusterScoped: true, modes: WITH_ROUTES },
);
export const TOKEN_REVIEWS = resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', {
  clusterScoped: true,
  verbs: ['create'],
});
export const SELF_SUBJECT_RULES_REVIEWS = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectRulesReview',
  'selfsubjectrulesreviews',
  { clusterScoped: true, verbs: ['create'] },
);
export const TEMPLATES = resource('template.openshift.io/v1', 'Template', 'templates', {
  modes: ONLY_OPENSHIFT,
});
/** Filled in and handed back, not kept. */
export const PROCESSED_TEMPLATES = resource('template.openshift.io/v1', 'Template', 'processedtemplates', {
  singular: '',
  modes: ONLY_OPENSHIFT,
  verbs: ['create'],
});
/** Measured, not kept: there is nothing to watch. */
export const POD_METRICS = resource('metrics.k8s.io/v1beta1', 'PodMetrics', 'pods', {
  singular: '',
  readOnly: true,
  modes: ONLY_OPENSHIFT,
});
export const SELF_SUBJECT_REVIEWS = resource(
  'authentication.k8s.io/v1',
  'SelfSubjectReview',
  'selfsubjectreviews',
  { clusterScoped: true, verbs: ['create'] },
);
export const SELF_SUBJECT_ACCESS_REVIEWS = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
  { clusterScoped: true, verbs: ['create'] },
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
  IMAGE_STREAM_MAPPINGS,
  BUILD_CONFIGS,
  BUILDS,
  PROJECTS,
  PROJECT_REQUESTS,
  RESOURCE_QUOTAS,
  LIMIT_RANGES,
  PERSISTENT_VOLUME_CLAIMS,
  JOBS,
  CRON_JOBS,
  AUTOSCALERS,
  DISRUPTION_BUDGETS,
  INGRESSES,
  ROLES,
  ROLE_BINDINGS,
  SECURITY_CONTEXT_CONSTRAINTS,
  TEMPLATES,
  PROCESSED_TEMPLATES,
  TOKEN_REVIEWS,
  POD_METRICS,
  SELF_SUBJECT_REVIEWS,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_RULES_REVIEWS,
];

export function servedIn(mode: Mode): readonly ResourceType[] {
  const types = RESOURCES.filter((type) => type.modes.includes(mode));
  // A custom resource has generations, and is in no category unless its definition says so.
  return mode === 'microshift'
    ? types.map((type) => (isKind(type, ROUTES) ? { ...type, generation: true, inAll: false } : type))
    : types;
}

/** Whether two entries are the same kind, whatever each knows of its type. */
export function isKind(type: ResourceType, other: Pick<ResourceType, 'group' | 'plural'>): boolean {
  return type.plural === other.plural && type.group === other.group;
}

/** `v1`, `apps/v1`. */
export function groupVersion(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** `deployments.apps`, `pods`: how error texts name a resource. */
export function qualified(type: ResourceType): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}
