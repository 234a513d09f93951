import type { JsonObject } from './json.ts';
import type { PodTemplate } from './pod-types.ts';
import type { Base, Condition, Selector } from './types.ts';

/** What stands beside deployments: runs to an end, volumes, limits and the rules over them. */

export type JobSpec = {
  parallelism?: number;
  completions?: number;
  backoffLimit?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  suspend?: boolean;
  selector?: Selector;
  template: PodTemplate;
};

export type Job = Base & {
  spec: JobSpec;
  status: {
    active?: number;
    succeeded?: number;
    failed?: number;
    ready?: number;
    startTime?: string;
    completionTime?: string;
    conditions?: Condition[];
  };
};

export type CronJob = Base & {
  spec: {
    schedule: string;
    timeZone?: string;
    concurrencyPolicy?: string;
    suspend?: boolean;
    startingDeadlineSeconds?: number;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: JobSpec;
    };
  };
  status: {
    active?: { kind: string; namespace: string; name: string; uid: string; apiVersion: string }[];
    lastScheduleTime?: string;
    lastSuccessfulTime?: string;
  };
};

export type PersistentVolumeClaim = Base & {
  spec: {
    accessModes?: string[];
    resources?: { requests?: Record<string, string> };
    storageClassName?: string;
    volumeMode?: string;
    volumeName?: string;
  };
  status: { phase?: string; accessModes?: string[]; capacity?: Record<string, string> };
};

export type LimitRange = Base & {
  spec: {
    limits: {
      type: string;
      max?: Record<string, string>;
      min?: Record<string, string>;
      default?: Record<string, string>;
      defaultRequest?: Record<string, string>;
    }[];
  };
};

export type Autoscaler = Base & {
  spec: {
    scaleTargetRef: { apiVersion?: string; kind: string; name: string };
    minReplicas?: number;
    maxReplicas: number;
    metrics?: JsonObject[];
  };
  status: {
    currentReplicas?: number;
    desiredReplicas?: number;
    lastScaleTime?: string;
    observedGeneration?: number;
    currentMetrics: null;
    conditions?: Condition[];
  };
};

export type DisruptionBudget = Base & {
  spec: { minAvailable?: number | string; maxUnavailable?: number | string; selector?: Selector };
  status: {
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
    observedGeneration?: number;
    conditions?: Condition[];
  };
};

type IngressBackend = { service?: { name: string; port: { name?: string; number?: number } } };

export type Ingress = Base & {
  spec: {
    ingressClassName?: string;
    defaultBackend?: IngressBackend;
    rules?: {
      host?: string;
      http?: { paths: { path?: string; pathType: string; backend: IngressBackend }[] };
    }[];
    tls?: { hosts?: string[]; secretName?: string }[];
  };
  status: { loadBalancer: { ingress?: { ip?: string; hostname?: string }[] } };
};
