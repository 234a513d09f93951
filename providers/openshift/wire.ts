import { z } from 'zod';

/**
 * What we read of the answers, decoded at the border: unknown fields are dropped, absent counters are 0, absent lists
 * are empty (Kubernetes leaves out whatever is zero).
 */
const count = z.number().default(0);
const texts = z.record(z.string(), z.string()).default({});

const metaSchema = z.object({
  name: z.string().default(''),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: texts,
  annotations: texts,
  ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).default([]),
  /** Who wrote which fields; of that only who, how and when. */
  managedFields: z
    .array(
      z.object({
        manager: z.string().default(''),
        time: z.string().nullish(),
        subresource: z.string().optional(),
      }),
    )
    .default([]),
});
export type Meta = z.output<typeof metaSchema>;

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().nullish(),
});
export type Condition = z.output<typeof conditionSchema>;

const conditions = z.array(conditionSchema).default([]);

/** Every refusal by the API itself is one of these. */
export const statusSchema = z.object({
  kind: z.literal('Status'),
  code: z.number().optional(),
  message: z.string().default(''),
  reason: z.string().optional(),
  details: z
    .object({
      kind: z.string().optional(),
      name: z.string().optional(),
      causes: z
        .array(
          z.object({
            reason: z.string().optional(),
            message: z.string().optional(),
            field: z.string().optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});
export type Status = z.output<typeof statusSchema>;

/** One line of a watch; what `object` is, its `type` tells. */
export const watchEventSchema = z.object({ type: z.string(), object: z.unknown() });
export const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

export const versionSchema = z.object({ gitVersion: z.string() });
export const groupListSchema = z.object({ groups: z.array(z.object({ name: z.string() })) });
export const selfReviewSchema = z.object({
  status: z.object({ userInfo: z.object({ username: z.string() }) }),
});
export const accessReviewSchema = z.object({
  status: z.object({ allowed: z.boolean(), reason: z.string().optional() }),
});

/** Anything of which only the stamp matters. */
export const thingSchema = z.object({ metadata: metaSchema });
export type Thing = z.output<typeof thingSchema>;

const containerSchema = z.object({
  name: z.string(),
  image: z.string().optional(),
  command: z.array(z.string()).default([]),
  envFrom: z.array(z.object({ secretRef: z.object({ name: z.string() }).optional() })).default([]),
  resources: z.object({ limits: texts }).default({ limits: {} }),
  readinessProbe: z.object({ httpGet: z.object({ path: z.string().optional() }).optional() }).optional(),
});

/** Kept whole: to restore a release its template goes back as it was. */
const templateSchema = z.looseObject({
  metadata: z.looseObject({ labels: texts, annotations: texts }).default({ labels: {}, annotations: {} }),
  spec: z
    .looseObject({ containers: z.array(containerSchema.loose()).default([]) })
    .default({ containers: [] }),
});
export type PodTemplate = z.output<typeof templateSchema>;

export const deploymentSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    replicas: z.number().default(1),
    strategy: z.object({ type: z.string().optional() }).optional(),
    progressDeadlineSeconds: z.number().default(600),
    template: templateSchema,
  }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      conditions,
    })
    .prefault({}),
});
export type Deployment = z.output<typeof deploymentSchema>;

export const autoscalerSchema = z.object({
  metadata: metaSchema,
  spec: z.object({
    scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
    minReplicas: z.number().default(1),
    maxReplicas: z.number(),
  }),
});
export type Autoscaler = z.output<typeof autoscalerSchema>;

export const replicaSetSchema = z.object({
  metadata: metaSchema,
  spec: z.object({ replicas: z.number().default(1), template: templateSchema }),
  status: z.object({ replicas: count, readyReplicas: count, availableReplicas: count }).prefault({}),
});
export type ReplicaSet = z.output<typeof replicaSetSchema>;

const terminatedSchema = z.object({ exitCode: z.number().optional(), reason: z.string().optional() });

export const podSchema = z.object({
  metadata: metaSchema,
  spec: z
    .object({
      volumes: z
        .array(z.object({ persistentVolumeClaim: z.object({ claimName: z.string() }).optional() }))
        .default([]),
    })
    .prefault({}),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      reason: z.string().optional(),
      message: z.string().optional(),
      conditions,
      containerStatuses: z
        .array(
          z.object({
            ready: z.boolean().default(false),
            restartCount: count,
            state: z
              .object({
                waiting: z
                  .object({ reason: z.string().optional(), message: z.string().optional() })
                  .optional(),
                terminated: terminatedSchema.optional(),
                running: z.object({ startedAt: z.string().nullish() }).optional(),
              })
              .default({}),
            lastState: z.object({ terminated: terminatedSchema.optional() }).default({}),
          }),
        )
        .default([]),
    })
    .prefault({}),
});
export type Pod = z.output<typeof podSchema>;

export const jobSchema = z.object({
  metadata: metaSchema,
  status: z.object({ conditions }).prefault({}),
});
export type Job = z.output<typeof jobSchema>;

export const routeSchema = z.object({
  metadata: metaSchema,
  spec: z.object({ host: z.string().default('') }),
  status: z
    .object({ ingress: z.array(z.object({ host: z.string().default(''), conditions })).default([]) })
    .prefault({}),
});
export type Route = z.output<typeof routeSchema>;

/** An Ingress with one rule of ours, as a Route: admitted by whoever says where it is to be reached. */
export const ingressSchema = z
  .object({
    metadata: metaSchema,
    spec: z.object({ rules: z.array(z.object({ host: z.string().default('') })).default([]) }).prefault({}),
    status: z
      .object({ loadBalancer: z.object({ ingress: z.array(z.object({})).default([]) }).prefault({}) })
      .prefault({}),
  })
  .transform(({ metadata, spec, status }): Route => {
    const host = spec.rules[0]?.host ?? '';
    const admitted = { host, conditions: [{ type: 'Admitted', status: 'True' }] };
    return {
      metadata,
      spec: { host },
      status: { ingress: status.loadBalancer.ingress.length > 0 ? [admitted] : [] },
    };
  });

export const podMetricsSchema = z.object({
  metadata: metaSchema,
  containers: z.array(z.object({ name: z.string(), usage: texts })).default([]),
});
export type PodMetrics = z.output<typeof podMetricsSchema>;

export const secretSchema = z.object({ metadata: metaSchema, data: texts });
export type Secret = z.output<typeof secretSchema>;

/** What is allowed and what is taken; names like `limits.memory`, quantities like `1Gi`. */
export const resourceQuotaSchema = z.object({
  metadata: metaSchema,
  status: z.object({ hard: texts, used: texts }).prefault({}),
});
export type ResourceQuota = z.output<typeof resourceQuotaSchema>;

export const imageStreamTagSchema = z.object({
  metadata: metaSchema,
  image: z.object({ dockerImageReference: z.string().optional(), metadata: metaSchema }),
});
export type ImageStreamTag = z.output<typeof imageStreamTagSchema>;

export const buildSchema = z.object({
  metadata: metaSchema,
  status: z
    .object({
      phase: z.string().default('New'),
      reason: z.string().optional(),
      message: z.string().optional(),
      outputDockerImageReference: z.string().optional(),
      output: z.object({ to: z.object({ imageDigest: z.string().optional() }).optional() }).default({}),
    })
    .prefault({}),
});
export type Build = z.output<typeof buildSchema>;

/** An event, core/v1: what is newer is empty with some senders, what is older with others. */
export const happeningSchema = z.object({
  metadata: metaSchema.extend({ uid: z.string().optional() }),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default('') }),
  reason: z.string().default(''),
  message: z.string().default(''),
  type: z.string().default('Normal'),
  count: z.number().nullish(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  series: z.object({ count: z.number().nullish(), lastObservedTime: z.string().nullish() }).nullish(),
});
export type Happening = z.output<typeof happeningSchema>;

export const claimSchema = z.object({
  metadata: metaSchema,
  spec: z
    .object({
      accessModes: z.array(z.string()).default([]),
      resources: z.object({ requests: texts }).prefault({}),
      storageClassName: z.string().optional(),
      volumeName: z.string().optional(),
    })
    .prefault({}),
  status: z.object({ phase: z.string().default('Pending'), capacity: texts, conditions }).prefault({}),
});
export type Claim = z.output<typeof claimSchema>;

/** Any object at all, whole; what we read of it by name is decoded. */
export const anyObjectSchema = z.looseObject({
  apiVersion: z.string().default(''),
  kind: z.string().default(''),
  metadata: z.looseObject({
    name: z.string().default(''),
    namespace: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    labels: texts,
    annotations: texts,
  }),
});
export type AnyObject = z.output<typeof anyObjectSchema>;

export const openShiftTemplateSchema = z.looseObject({
  kind: z.literal('Template').default('Template'),
  objects: z.array(anyObjectSchema).default([]),
  parameters: z.array(z.looseObject({ name: z.string() })).default([]),
});

export const apiResourcesSchema = z.object({
  resources: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      namespaced: z.boolean(),
      verbs: z.array(z.string()).default([]),
    }),
  ),
});
