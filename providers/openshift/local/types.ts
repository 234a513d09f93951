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

type OwnerReference = {
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

/** What every kind has. */
export type Base = { kind: string; apiVersion: string; metadata: Metadata };

export type Namespace = Base & { spec: { finalizers?: string[] }; status: { phase: string } };
export type ServiceAccount = Base;
export type Secret = Base & { data?: Record<string, string>; type?: string };
export type ConfigMap = Base & { data?: Record<string, string>; binaryData?: Record<string, string> };

export type Selector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
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

export type ResourceQuota = Base & {
  spec: { hard?: Record<string, string> };
  status: { hard?: Record<string, string>; used?: Record<string, string> };
};

export type Rule = {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  verbs: string[];
};

export type Role = Base & { rules?: Rule[] };

export type RoleBinding = Base & {
  roleRef: { apiGroup?: string; kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[];
};
