import { isObject, type Json, type JsonObject } from './json.ts';
import type { ResourceType } from './resources.ts';

/**
 * The field names each kind knows, for finding misspelt ones. `name:Type` has fields of its own, `name[]:Type` is a list
 * of them, a bare name may hold anything.
 */
const TYPES: Readonly<Record<string, string>> = {
  Metadata:
    'name generateName namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields selfLink',
  Deployment: 'spec:DeploymentSpec status',
  DeploymentSpec:
    'replicas selector template:PodTemplate strategy:Strategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds',
  Strategy: 'type rollingUpdate:RollingUpdate',
  RollingUpdate: 'maxUnavailable maxSurge',
  ReplicaSet: 'spec:ReplicaSetSpec status',
  ReplicaSetSpec: 'replicas minReadySeconds selector template:PodTemplate',
  PodTemplate: 'metadata:Metadata spec:PodSpec',
  Pod: 'spec:PodSpec status',
  PodSpec:
    'containers[]:Container initContainers[]:Container ephemeralContainers volumes restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources',
  Container:
    'name image command args workingDir ports[]:ContainerPort envFrom env[]:EnvVar resources:Resources resizePolicy restartPolicy volumeMounts volumeDevices livenessProbe:Probe readinessProbe:Probe startupProbe:Probe lifecycle:Lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty',
  ContainerPort: 'name hostPort containerPort protocol hostIP',
  EnvVar: 'name value valueFrom',
  Resources: 'limits requests claims',
  Probe:
    'exec httpGet:HttpGet tcpSocket grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds',
  HttpGet: 'path port host scheme httpHeaders',
  Lifecycle: 'postStart preStop stopSignal',
  Service: 'spec:ServiceSpec status',
  ServiceSpec:
    'ports[]:ServicePort selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution',
  ServicePort: 'name protocol appProtocol port targetPort nodePort',
  Job: 'spec:JobSpec status',
  JobSpec:
    'parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit backoffLimitPerIndex maxFailedIndexes selector manualSelector template:PodTemplate ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy',
  CronJob: 'spec:CronJobSpec status',
  CronJobSpec:
    'schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate:JobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit',
  JobTemplate: 'metadata:Metadata spec:JobSpec',
  PersistentVolumeClaim: 'spec:ClaimSpec status',
  ClaimSpec:
    'accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef volumeAttributesClassName',
  HorizontalPodAutoscaler: 'spec:AutoscalerSpec status',
  AutoscalerSpec: 'scaleTargetRef minReplicas maxReplicas metrics behavior',
  Template: 'message objects parameters labels',
  ResourceQuota: 'spec:QuotaSpec status',
  QuotaSpec: 'hard scopes scopeSelector',
  Ingress: 'spec:IngressSpec status',
  IngressSpec: 'ingressClassName defaultBackend tls rules',
  Secret: 'data stringData type immutable',
  ConfigMap: 'data binaryData immutable',
  ServiceAccount: 'secrets imagePullSecrets automountServiceAccountToken',
  Route: 'spec:RouteSpec status',
  RouteSpec:
    'host subdomain path to:RouteBackend alternateBackends[]:RouteBackend port:RoutePort tls:RouteTls wildcardPolicy httpHeaders',
  RouteBackend: 'kind name weight',
  RoutePort: 'targetPort',
  RouteTls:
    'termination certificate key caCertificate destinationCACertificate insecureEdgeTerminationPolicy externalCertificate',
  ImageStream: 'spec:ImageStreamSpec status',
  ImageStreamSpec: 'lookupPolicy dockerImageRepository tags',
  BuildConfig: 'spec:BuildConfigSpec status',
  BuildConfigSpec:
    'triggers runPolicy serviceAccount source revision strategy:BuildStrategy output:BuildOutput resources postCommit completionDeadlineSeconds nodeSelector mountTrustedCA successfulBuildsHistoryLimit failedBuildsHistoryLimit',
  BuildStrategy: 'type dockerStrategy sourceStrategy:SourceStrategy customStrategy jenkinsPipelineStrategy',
  SourceStrategy: 'from pullSecret env scripts incremental forcePull volumes',
  BuildOutput: 'to pushSecret imageLabels',
};

export interface FieldShape {
  readonly type: string | undefined;
  readonly list: boolean;
}

const parsed = new Map<string, ReadonlyMap<string, FieldShape>>();

export function shapeOf(typeName: string): ReadonlyMap<string, FieldShape> | undefined {
  const known = parsed.get(typeName);
  if (known) return known;
  const text = TYPES[typeName];
  if (text === undefined) return undefined;
  const fields = new Map<string, FieldShape>();
  for (const word of text.split(' ')) {
    const [name = '', type] = word.split(':');
    fields.set(name.replace('[]', ''), { type, list: name.endsWith('[]') });
  }
  parsed.set(typeName, fields);
  return fields;
}

export function knownTypes(): readonly string[] {
  return Object.keys(TYPES);
}

/** Takes fields the kind does not know out of the draft and returns their paths: `spec.replicsa`. */
export function pruneUnknown(type: ResourceType, draft: JsonObject): string[] {
  const unknown: string[] = [];
  const fields = shapeOf(type.kind);
  if (!fields) return unknown;
  for (const key of Object.keys(draft)) {
    if (key === 'kind' || key === 'apiVersion') continue;
    if (key === 'metadata') prune(draft[key], 'Metadata', 'metadata', unknown);
    else if (!fields.has(key)) {
      unknown.push(key);
      delete draft[key];
    } else {
      const field = fields.get(key);
      if (field?.type) prune(draft[key], field.type, key, unknown);
    }
  }
  return unknown;
}

function prune(value: Json | undefined, typeName: string, path: string, unknown: string[]): void {
  const fields = shapeOf(typeName);
  if (!fields || !isObject(value)) return;
  for (const key of Object.keys(value)) {
    const field = fields.get(key);
    const here = `${path}.${key}`;
    if (!field) {
      unknown.push(here);
      delete value[key];
    } else if (field.type && field.list) {
      const list = value[key];
      if (!Array.isArray(list)) continue;
      for (const [index, item] of list.entries()) prune(item, field.type, `${here}[${index}]`, unknown);
    } else if (field.type) prune(value[key], field.type, here, unknown);
  }
}
