import { z } from 'zod';
import { platformError } from '../../src/core/errors.ts';
import { decodeAnswer } from '../../src/lib/decode-answer.ts';

/**
 * The answers of Cloud Controller v3, UAA and log-cache as far as we read them. Unknown keys pass: foundations of
 * many ages answer here, and newer ones add fields.
 */
const guidOnly = z.object({ guid: z.string() });
const toOne = z.object({ data: guidOnly.nullish() }).nullish();
const strings = z.record(z.string(), z.string().nullable());

export const metadata = z.object({ labels: strings.optional(), annotations: strings.optional() }).optional();
const link = z.object({ href: z.string() });

export const rootSchema = z.object({
  /** Korifi: this API on Kubernetes, a part of it, and with the cluster's logins. */
  cf_on_k8s: z.boolean().optional(),
  links: z.object({
    cloud_controller_v3: link.extend({ meta: z.object({ version: z.string() }).optional() }).nullish(),
    login: link.nullish(),
    uaa: link.nullish(),
    log_cache: link.partial().nullish(),
  }),
});
export type Root = z.output<typeof rootSchema>;

/** `GET /whoami`, of Korifi only. */
export const whoAmISchema = z.object({ name: z.string(), kind: z.string().optional() });

export const tokenSchema = z.object({
  access_token: z.string(),
  token_type: z.string().optional(),
  refresh_token: z.string().optional(),
  /** Seconds. */
  expires_in: z.number(),
});

export const uaaErrorSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** Of an access token, for people only. */
export const claimsSchema = z.object({ user_name: z.string().optional(), client_id: z.string().optional() });

export const apiErrorsSchema = z.object({
  errors: z
    .array(z.object({ code: z.number().optional(), title: z.string(), detail: z.string().default('') }))
    .min(1),
});

export const namedSchema = z.object({ guid: z.string(), name: z.string() });

export const domainSchema = namedSchema.extend({ internal: z.boolean().optional() });
export type Domain = z.output<typeof domainSchema>;

export const appSchema = namedSchema.extend({
  created_at: z.string().optional(),
  state: z.enum(['STARTED', 'STOPPED']),
  /** `buildpack`, `docker` or `cnb`; it never changes. */
  lifecycle: z
    .object({ type: z.string(), data: z.object({ stack: z.string().nullish() }).nullish() })
    .optional(),
  metadata,
  relationships: z.object({ current_droplet: toOne }).optional(),
});
export type App = z.output<typeof appSchema>;

export const featureFlagSchema = z.object({ name: z.string(), enabled: z.boolean() });

/** One step of a patch from what is to what a manifest wants. */
const manifestDifferenceSchema = z.object({
  op: z.string(),
  path: z.string(),
  was: z.unknown().optional(),
  value: z.unknown().optional(),
});
export type ManifestDifference = z.output<typeof manifestDifferenceSchema>;

export const manifestDiffSchema = z.object({ diff: z.array(manifestDifferenceSchema) });

export const environmentSchema = z.object({ var: strings });

export const packageBitsSchema = z.object({
  guid: z.string(),
  state: z.enum(['AWAITING_UPLOAD', 'PROCESSING_UPLOAD', 'READY', 'FAILED', 'COPYING', 'EXPIRED']),
  data: z.object({ error: z.string().nullish() }).nullish(),
  metadata,
});
export type PackageBits = z.output<typeof packageBitsSchema>;

export const buildSchema = z.object({
  guid: z.string(),
  state: z.enum(['STAGING', 'STAGED', 'FAILED']),
  error: z.string().nullish(),
  droplet: guidOnly.nullish(),
  package: guidOnly.nullish(),
  created_at: z.string().optional(),
});
export type Build = z.output<typeof buildSchema>;

export const dropletSchema = z.object({
  guid: z.string(),
  state: z.string(),
  error: z.string().nullish(),
  checksum: z.object({ type: z.string(), value: z.string().nullish() }).nullish(),
  /** Of those that run an image. */
  image: z.string().nullish(),
  links: z.object({ package: link.nullish() }).optional(),
  metadata,
});
export type Droplet = z.output<typeof dropletSchema>;

/** Of one that was asked for by itself: lists hide the commands. */
export const fullDropletSchema = dropletSchema.extend({
  stack: z.string().nullish(),
  process_types: z.record(z.string(), z.string()).nullish(),
});

const healthCheck = z.object({
  type: z.string(),
  data: z.object({ endpoint: z.string().nullish(), timeout: z.number().nullish() }).nullish(),
});

export const processSchema = z.object({
  guid: z.string(),
  type: z.string(),
  command: z.string().nullish(),
  instances: z.number(),
  memory_in_mb: z.number(),
  health_check: healthCheck,
  created_at: z.string().optional(),
  metadata,
});
export type Process = z.output<typeof processSchema>;

const instanceState = z.string();

export const statsSchema = z.object({
  resources: z.array(
    z.object({
      index: z.number(),
      state: instanceState,
      routable: z.boolean().nullish(),
      details: z.string().nullish(),
      uptime: z.number().nullish(),
      /** Empty while log-cache is out. */
      usage: z.object({ cpu: z.number().nullish(), mem: z.number().nullish() }).nullish(),
    }),
  ),
});

export const processInstancesSchema = z.object({
  resources: z.array(z.object({ index: z.number(), state: instanceState })),
});

export const routeSchema = z.object({
  guid: z.string(),
  host: z.string().nullish(),
  path: z.string().nullish(),
  url: z.string(),
  destinations: z.array(z.object({ guid: z.string(), app: guidOnly.nullish() })).default([]),
  metadata,
});
export type Route = z.output<typeof routeSchema>;

export const deploymentSchema = z.object({
  guid: z.string(),
  status: z.object({
    value: z.enum(['ACTIVE', 'FINALIZED']),
    reason: z.string(),
    details: z.object({ error: z.string().nullish() }).nullish(),
  }),
  options: z.object({ max_in_flight: z.number().nullish(), web_instances: z.number().nullish() }).nullish(),
  droplet: z.object({ guid: z.string().nullish() }).nullish(),
  previous_droplet: z.object({ guid: z.string().nullish() }).nullish(),
  new_processes: z.array(z.object({ guid: z.string(), type: z.string() })).default([]),
  metadata,
});
export type Deployment = z.output<typeof deploymentSchema>;

export const taskSchema = z.object({
  guid: z.string(),
  name: z.string(),
  created_at: z.string(),
  state: z.enum(['PENDING', 'RUNNING', 'SUCCEEDED', 'CANCELING', 'FAILED']),
  result: z.object({ failure_reason: z.string().nullish() }).nullish(),
  relationships: z.object({ app: toOne }).optional(),
  metadata,
});
export type Task = z.output<typeof taskSchema>;

export const jobSchema = z.object({
  guid: z.string(),
  operation: z.string().optional(),
  state: z.enum(['PROCESSING', 'POLLING', 'COMPLETE', 'FAILED']),
  errors: z.array(z.object({ title: z.string(), detail: z.string().default('') })).default([]),
  warnings: z.array(z.object({ detail: z.string() })).default([]),
});

export const logEnvelopesSchema = z.object({
  envelopes: z.object({
    batch: z
      .array(
        z.object({
          /** Nanoseconds; 64 bits do not fit a JSON number, so they come as text. */
          timestamp: z.union([z.string(), z.number()]),
          instance_id: z.string().optional(),
          tags: strings.optional(),
          log: z.object({ payload: z.string(), type: z.string().optional() }).optional(),
        }),
      )
      .default([]),
  }),
});

export function pageSchema<T extends z.ZodType>(resource: T) {
  return z.object({
    pagination: z.object({ next: link.nullish() }),
    resources: z.array(resource),
  });
}

/** Decodes an answer or says that this is not the platform we know. */
export function decode<T>(schema: z.ZodType<T>, value: unknown, platform: string, what: string): T {
  return decodeAnswer(schema, value, (why) =>
    platformError('unsupported', platform, `the answer to ${what} is not one of Cloud Foundry v3`, {
      why,
      remedy: 'check that the `api` address is that of a Cloud Foundry API with version 3',
    }),
  );
}

/** A space, or an organization. */
export const quotaOwnerSchema = z.object({
  relationships: z.object({ organization: toOne, quota: toOne }).partial(),
});
export type QuotaOwner = z.output<typeof quotaOwnerSchema>;

const limit = z
  .number()
  .nullish()
  .transform((value) => value ?? null);
/** Of a space or of an organization; null is no limit. */
export const quotaSchema = z.object({
  name: z.string(),
  apps: z.object({ total_memory_in_mb: limit, total_instances: limit, per_process_memory_in_mb: limit }),
});
export type Quota = z.output<typeof quotaSchema>;

export const usageSchema = z.object({
  usage_summary: z.object({ started_instances: z.number(), memory_in_mb: z.number() }),
});
