import type { Json, JsonObject } from './json.ts';

/** What we read of the wire kinds; objects keep every other field they came with. */
export type Metadata = {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFields[];
};

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  manager: string;
  operation: string;
  apiVersion: string;
  time: string;
  fieldsType: string;
  fieldsV1: JsonObject;
  subresource?: string;
};

export type KubeObject = {
  kind: string;
  apiVersion: string;
  metadata: Metadata;
  [field: string]: Json | undefined;
};

export type Condition = {
  type: string;
  status: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
  lastProbeTime?: null;
  reason?: string;
  message?: string;
};

type Base = { kind: string; apiVersion: string; metadata: Metadata };

export type Namespace = Base & { spec: { finalizers?: string[] }; status: { phase: string } };
export type ServiceAccount = Base;
export type Secret = Base & { data?: Record<string, string>; type?: string };
export type ConfigMap = Base & { data?: Record<string, string>; binaryData?: Record<string, string> };

export type Selector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
};

export type ContainerPort = { name?: string; containerPort: number; protocol?: string };

export type EnvVar = {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    configMapKeyRef?: { name: string; key: string; optional?: boolean };
    fieldRef?: { fieldPath: string };
  };
};

export type EnvFrom = {
  prefix?: string;
  secretRef?: { name: string; optional?: boolean };
  configMapRef?: { name: string; optional?: boolean };
};

export type Probe = {
  httpGet?: { path?: string; port: number | string; scheme?: string };
  tcpSocket?: { port: number | string };
  exec?: { command: string[] };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
  successThreshold?: number;
};

export type LifecycleHandler = { exec?: { command: string[] }; sleep?: { seconds: number } };

export type Container = {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  ports?: ContainerPort[];
  env?: EnvVar[];
  envFrom?: EnvFrom[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: LifecycleHandler };
};

export type PodSpec = {
  containers: Container[];
  terminationGracePeriodSeconds?: number;
  nodeName?: string;
};

export type PodTemplate = {
  metadata?: {
    creationTimestamp?: null;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: PodSpec;
};

export type Deployment = Base & {
  spec: {
    replicas: number;
    selector: Selector;
    template: PodTemplate;
    strategy: {
      type: string;
      rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string };
    };
    minReadySeconds?: number;
    revisionHistoryLimit: number;
    progressDeadlineSeconds: number;
    paused?: boolean;
  };
  status: DeploymentStatus;
};

export type DeploymentStatus = {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  conditions?: Condition[];
};

export type ReplicaSet = Base & {
  spec: { replicas: number; selector: Selector; template: PodTemplate; minReadySeconds?: number };
  status: {
    replicas: number;
    fullyLabeledReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    observedGeneration?: number;
    conditions?: Condition[];
  };
};

export type ContainerState = {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: TerminatedState;
};

export type TerminatedState = {
  exitCode: number;
  reason: string;
  startedAt: string;
  finishedAt: string;
  containerID: string;
};

export type ContainerStatus = {
  name: string;
  state: ContainerState;
  lastState: ContainerState;
  ready: boolean;
  restartCount: number;
  image: string;
  imageID: string;
  containerID?: string;
  started: boolean;
};

export type Pod = Base & {
  spec: PodSpec;
  status: {
    phase: string;
    conditions?: Condition[];
    hostIP?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    startTime?: string;
    containerStatuses?: ContainerStatus[];
    qosClass?: string;
    reason?: string;
    message?: string;
  };
};

export type ServicePort = { name?: string; port: number; targetPort?: number | string; protocol?: string };

export type Service = Base & {
  spec: {
    selector?: Record<string, string>;
    ports?: ServicePort[];
    clusterIP?: string;
    clusterIPs?: string[];
    type?: string;
  };
  status: JsonObject;
};

export type Endpoint = {
  addresses: string[];
  conditions: { ready: boolean; serving: boolean; terminating: boolean };
  targetRef: { kind: string; namespace: string; name: string; uid: string };
  nodeName: string;
};

export type EndpointSlice = Base & {
  addressType: string;
  endpoints: Endpoint[];
  ports: { name: string; protocol: string; port: number }[];
};

export type RouteBackend = { kind: string; name: string; weight?: number };

export type RouteIngress = {
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
  status: { ingress?: RouteIngress[] };
};

export type ImageStream = Base & {
  spec: { lookupPolicy: { local: boolean } };
  status: {
    dockerImageRepository: string;
    tags?: { tag: string; items: ImageStreamItem[] }[];
  };
};

export type ImageStreamItem = {
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

export type EventObject = Base & {
  involvedObject: JsonObject;
  reason: string;
  message: string;
  source: { component: string };
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
  type: string;
  eventTime: null;
  reportingComponent: string;
  reportingInstance: string;
};
