import { z } from 'zod';

/** What the host daemon answers. Unknown fields pass: a newer daemon may say more. */

export const infoSchema = z.object({
  api: z.string(),
  hostname: z.string(),
  user: z.string(),
  onOwnerExit: z.string(),
});
export type HostInfo = z.output<typeof infoSchema>;

const instanceSchema = z.object({
  id: z.string(),
  state: z.enum(['starting', 'running', 'backing-off', 'crash-loop', 'stopping', 'stopped']),
  port: z.number(),
  restarts: z.number(),
  /** Epoch milliseconds of its last change of state; daemons before this one do not say. */
  since: z.number().default(0),
  reason: z.string().nullable(),
  cpu: z.number().nullable(),
  memoryBytes: z.number().nullable(),
});
export type HostInstance = z.output<typeof instanceSchema>;

const releaseSchema = z.object({
  id: z.string(),
  digest: z.string(),
  phase: z.enum(['staged', 'starting', 'running', 'failed', 'retiring']),
  /** Tried beside the one that serves. */
  trial: z.boolean().default(false),
  wanted: z.number(),
  /** Epoch milliseconds since when it is `starting` or `running`. */
  since: z.number(),
  /** Null where nothing runs; daemons before this one do not say. */
  command: z.string().nullish(),
  env: z.record(z.string(), z.string()),
  failure: z.object({ reason: z.string(), logTail: z.array(z.string()) }).nullable(),
  instances: z.array(instanceSchema),
});
export type HostRelease = z.output<typeof releaseSchema>;

export const applicationSchema = z.object({ releases: z.array(releaseSchema) });
export type HostApplication = z.output<typeof applicationSchema>;

export const applicationsSchema = z.object({ applications: z.array(z.string()) });
export const offerSchema = z.object({ wanted: z.boolean() });
export const scaledSchema = z.object({ release: z.string() });
export const logsSchema = z.object({
  lines: z.array(z.object({ instance: z.string(), at: z.number(), text: z.string() })),
  /** Where each instance's output stands, handed back as it is. */
  marks: z.record(z.string(), z.unknown()),
  missed: z.boolean(),
});
export type HostLogs = z.output<typeof logsSchema>;

export const taskSchema = z.object({
  state: z.enum(['running', 'ended']),
  startedAt: z.number(),
  /** Why the host ended it, if it did. */
  stopped: z.string().nullable(),
  exit: z.object({ code: z.number().nullable(), reason: z.string() }).nullable(),
  lines: z.array(z.string()),
  next: z.number(),
});
export type HostTask = z.output<typeof taskSchema>;

export const happeningsSchema = z.object({
  memory: z.number(),
  happenings: z.array(
    z.object({
      seq: z.number(),
      at: z.number(),
      instance: z.string(),
      kind: z.string(),
      text: z.string(),
    }),
  ),
});
export type HostHappenings = z.output<typeof happeningsSchema>;

export const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    class: z
      .enum([
        'notFound',
        'conflict',
        'invalid',
        'unavailable',
        'timeout',
        'startFailed',
        'unsupported',
        'bug',
      ])
      .optional(),
    why: z.string().optional(),
    remedy: z.string().optional(),
  }),
});

export const volumeSchema = z.object({ path: z.string() });
export const volumesSchema = z.object({ volumes: z.array(z.object({ name: z.string(), path: z.string() })) });
