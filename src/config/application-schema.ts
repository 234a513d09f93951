import { z } from 'zod';
import { drainPlace } from '../core/log-drain.ts';
import { LOG_SOURCES } from '../core/logs.ts';
import type { HealthSettings } from '../core/settings.ts';
import { parseRate } from '../core/units.ts';
import { checkCron } from './cron-check.ts';
import { deploySchema } from './deploy-schema.ts';
import { driftSchema } from './drift-schema.ts';
import { drillSchema } from './drill-schema.ts';
import {
  checkedText,
  choice,
  decimal,
  described,
  duration,
  rate,
  size,
  text,
  whole,
  yesNo,
} from './fields.ts';
import { gitSchema } from './git-schema.ts';
import { imageReference, registrySchema } from './image-schema.ts';
import { jobFields } from './job-schema.ts';
import { policySchema } from './policy-schema.ts';
import { scaleSchema } from './scale-schema.ts';
import { servicesSchema } from './service-schema.ts';
import { sloSchema } from './slo.ts';
import { tasksSchema } from './task-schema.ts';

const MEBIBYTE = 1024 ** 2;

function instances(says: string, otherwise?: number) {
  return whole({ says, ...(otherwise === undefined ? {} : { otherwise }) }, { min: 1, max: 1_000 });
}

const command = text({
  says: 'The shell command that starts one instance; it listens on $PORT. Left out: the platform finds it (package.json), an image runs its own, a program is `./NAME`.',
});
const MEMORY_BOUNDS = { min: 16 * MEBIBYTE, max: 1024 ** 4 };
const memory = size({ says: 'Memory of one instance.', otherwise: '256Mi' }, MEMORY_BOUNDS);

const RESERVED_ENV = /^(PORT$|SLUICE_|VCAP_)/;

const env = z
  .record(
    checkedText({ says: 'Name of the variable.' }, '^[A-Za-z_][A-Za-z0-9_]*$', (name) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        return { fault: 'not a name for a variable', remedy: 'letters, digits and _ only, no digit first' };
      }
      if (!RESERVED_ENV.test(name)) return undefined;
      return { fault: 'Sluice or the platform sets this variable itself', remedy: 'choose another name' };
    }),
    z.string().meta({ type: ['string', 'number', 'boolean'] }),
  )
  .meta({ description: 'Environment variables. Numbers and booleans are taken as they are written.' });

const processSchema = z
  .strictObject({
    command: command.optional(),
    instances: instances(
      'How many instances run on each platform; a target may say otherwise.',
      1,
    ).optional(),
    memory: memory.optional(),
    runOn: choice(
      {
        says: 'Not for web. all: on every target. active: where the gateway sends traffic. one: on exactly one of those, the first in the order of the targets; it is started there once it stopped where it was. With `schedule` the default is one.',
        otherwise: 'all',
      },
      ['all', 'active', 'one'],
    ).optional(),
    takeOver: duration(
      {
        says: 'With `runOn: one`: how long a platform that does not answer may still be running it, before another platform starts it all the same.',
        otherwise: '2m',
      },
      { min: 1_000, max: 86_400_000 },
    ).optional(),
    ...jobFields,
  })
  .superRefine(({ schedule, timezone }, context) => {
    if (schedule !== undefined) checkCron(schedule, timezone, context, 'schedule');
  })
  .nullable()
  .meta({ description: 'One process of the application.' });

const statusRange = z
  .unknown()
  .transform((given, context) => {
    const [, from, to] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(given)) ?? [];
    if (from !== undefined && Number(from) <= Number(to ?? from)) {
      return { from: Number(from), to: Number(to ?? from) };
    }
    context.addIssue({
      code: 'custom',
      message: 'not a status or range of statuses',
      params: { remedy: 'write 200 or 200-399' },
    });
    return z.NEVER;
  })
  .meta({
    anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[1-5]\\d\\d(-[1-5]\\d\\d)?$' }],
    ...described({ says: 'The statuses that count as healthy.', otherwise: '200-399' }),
  });

const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

const probeBody = checkedText(
  { says: 'What the body must hold: a text, or `/a regular expression/`. Of long bodies the first 64 KiB.' },
  '.+',
  (given) => {
    if (given === '') return { fault: 'every body holds nothing', remedy: 'write a text, or remove it' };
    const rule = bodyRule(given);
    if ('contains' in rule) return undefined;
    try {
      new RegExp(rule.matches);
      return undefined;
    } catch {
      return { fault: 'not a regular expression', remedy: 'for example /"status": ?"ok"/' };
    }
  },
);

/** `/…/` is an expression; everything else is the text itself. */
export function bodyRule(given: string): NonNullable<HealthSettings['body']> {
  const [, matches] = /^\/(.+)\/$/.exec(given) ?? [];
  return matches === undefined ? { contains: given } : { matches };
}

/** These say which request it is and where it ends: a probe sets them itself. */
const PROBES_OWN = /^(host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer)$/i;

const probeHeaders = z
  .record(
    checkedText({ says: 'Name of the field.' }, HEADER_NAME, (name) => {
      if (!new RegExp(HEADER_NAME).test(name))
        return { fault: 'not a header name', remedy: 'for example authorization' };
      return PROBES_OWN.test(name)
        ? { fault: 'a probe sets this field itself', remedy: 'remove it' }
        : undefined;
    }),
    checkedText({ says: 'Its value.' }, '^[\\t\\x20-\\x7e]*$', (given) =>
      /^[\t\x20-\x7e]*$/.test(given)
        ? undefined
        : { fault: 'not a header value', remedy: 'printable ASCII on one line' },
    ),
  )
  .meta({ description: 'Fields that are sent with every probe of a path.' });

const healthSchema = z
  .strictObject({
    probe: choice({ says: 'http asks for `path`; tcp only connects.', otherwise: 'http' }, [
      'http',
      'tcp',
    ]).optional(),
    path: urlPath({ says: 'The path that answers when the application is well.', otherwise: '/' }).optional(),
    every: duration(
      { says: 'Time between probes, ± 10 %.', otherwise: '1s' },
      { min: 50, max: 3_600_000 },
    ).optional(),
    timeout: duration(
      { says: 'How long one probe may take.', otherwise: '500ms' },
      { min: 10, max: 60_000 },
    ).optional(),
    fall: whole(
      { says: 'Failed probes in a row until a target is down.', otherwise: 3 },
      { min: 1, max: 100 },
    ).optional(),
    rise: whole(
      { says: 'Good probes in a row until it is up again; at the very start one suffices.', otherwise: 2 },
      { min: 1, max: 100 },
    ).optional(),
    status: statusRange.optional(),
    release: z
      .strictObject({
        header: checkedText({ says: 'The response header that names the release.' }, HEADER_NAME, (name) =>
          new RegExp(HEADER_NAME).test(name)
            ? undefined
            : { fault: 'not a header name', remedy: 'for example x-release' },
        ).optional(),
        json: text({
          says: 'The field of the JSON body that names the release, dots for nesting.',
        }).optional(),
      })
      .refine((place) => (place.header === undefined) !== (place.json === undefined), {
        message: 'exactly one of header and json',
        params: { remedy: 'for example { header: x-release }' },
      })
      .meta({
        description: 'Where the answering release names itself; left out, a deployment stays `unproven`.',
      })
      .optional(),
    body: probeBody.optional(),
    headers: probeHeaders.optional(),
    deep: z
      .strictObject({
        path: urlPath({ says: 'A path that also looks at what the application depends on.' }),
        every: duration(
          { says: 'Time between deep probes, ± 10 %.', otherwise: '10s' },
          { min: 50, max: 3_600_000 },
        ).optional(),
        timeout: duration(
          { says: 'How long a deep probe may take.', otherwise: '2s' },
          { min: 10, max: 60_000 },
        ).optional(),
      })
      .meta({ description: 'A probe that goes further. Who fails it counts as degraded, never as down.' })
      .optional(),
  })
  .meta({ description: 'How the application is asked whether it is well.' });

const HOST = /^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*)$/;

const rateLimit = z
  .union([
    checkedText({ says: 'Requests of one client.' }, '^\\d+(\\.\\d+)?(rps|rpm)$', (given) => {
      const parsed = parseRate(given);
      if (!parsed.ok)
        return { fault: parsed.fault, remedy: 'write requests with their unit: 100rps or 600rpm' };
      if (parsed.value.perInstance) return { fault: 'clients have no instances', remedy: 'write 100rps' };
      return parsed.value.rps > 0 ? undefined : { fault: 'nobody could pass', remedy: 'write 1rpm or more' };
    }),
    z.strictObject({
      rps: decimal({ says: 'Requests per second.' }, { min: 0.001, max: 1_000_000 }),
      burst: whole(
        { says: 'How many may come at once. Default: those of one second, at least 1.' },
        { min: 1, max: 1_000_000 },
      ).optional(),
      by: checkedText(
        {
          says: 'Who is one client: `address`, or the name of a header field whose value tells them apart.',
          otherwise: 'address',
        },
        HEADER_NAME,
        (name) =>
          new RegExp(HEADER_NAME).test(name)
            ? undefined
            : { fault: 'not a header name', remedy: 'address, or for example x-api-key' },
      ).optional(),
    }),
  ])
  .meta({
    description: 'How much of one client is let through, over all workers; what is beyond gets 429.',
  });

const routeSchema = z
  .strictObject({
    host: checkedText(
      { says: 'The public host name, or * for every host.', otherwise: '*' },
      '^(\\*|[A-Za-z0-9.-]+)$',
      (host) =>
        HOST.test(host.toLowerCase()) && host.length <= 253
          ? undefined
          : {
              fault: 'not a host name',
              remedy: 'a name without scheme, port or path: shop.example.com, or "*" for all',
            },
    ).optional(),
    path: urlPath({ says: 'Requests whose path begins so, at a segment border.', otherwise: '/' }).optional(),
    publicHost: choice(
      {
        says: 'map: the platforms know the public host and get it. rewrite: they get their own, and Location and cookie domains are put back. Default: map when host is given, else rewrite.',
      },
      ['map', 'rewrite'],
    ).optional(),
    retry: choice(
      {
        says: 'What may be sent a second time after it may have been executed: safe is GET, HEAD and OPTIONS; idempotent adds PUT, DELETE and requests with an Idempotency-Key.',
        otherwise: 'safe',
      },
      ['safe', 'idempotent'],
    ).optional(),
    affinity: yesNo({
      says: 'A client stays on the platform that served it first, as long as that one can serve; remembered in a cookie.',
      otherwise: false,
    }).optional(),
    rateLimit: rateLimit.optional(),
    priority: whole(
      {
        says: 'Who is served longer when there is no capacity for all (overload or panic with shed): higher first.',
        otherwise: 0,
      },
      { min: -1000, max: 1000 },
    ).optional(),
  })
  .meta({ description: 'What the gateway sends to this application.' });

const cost = z
  .unknown()
  .transform((given, context) => {
    const [, amount] = /^(\d+(?:\.\d+)?)(?:\/instance-hour)?$/.exec(String(given)) ?? [];
    if (amount !== undefined) return Number(amount);
    context.addIssue({
      code: 'custom',
      message: 'not the cost of an instance',
      params: { remedy: 'write 0.11/instance-hour, in any one currency' },
    });
    return z.NEVER;
  })
  .meta({
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: '^\\d+(\\.\\d+)?/instance-hour$' },
    ],
    ...described({ says: 'What one instance costs in an hour, for policies with `cost`.' }),
  });

const targetSchema = z
  .strictObject({
    tier: whole(
      { says: 'Tier 1 is used first; the next only when it is full or down.', otherwise: 1 },
      { min: 1, max: 100 },
    ).optional(),
    weight: decimal(
      { says: 'Part of its tier, relative to the others.', otherwise: 1 },
      { min: 0, max: 1_000_000 },
    ).optional(),
    instances: instances('Instances on this platform. Default: those of the application.').optional(),
    buildOn: text({
      says: 'Another target on a platform of the same kind (Cloud Foundry): what that one builds for a release is taken from there, where both have the same stack; else it is built here.',
    }).optional(),
    command: text({
      says: 'What starts one instance of web there. Default: the command of the application.',
    }).optional(),
    memory: size(
      { says: 'Memory of one instance of web there. Default: that of the application.' },
      MEMORY_BOUNDS,
    ).optional(),
    capacity: rate({
      says: 'What it carries: 90rps/instance, or 900rps for all of it. Left out: unknown, and never a reason to spill.',
    }).optional(),
    maxInstances: whole(
      {
        says: 'How far it may grow when others are missing; needs `capacity` per instance. Left out: it does not.',
      },
      { min: 1, max: 1_000 },
    ).optional(),
    cost: cost.optional(),
    standby: choice(
      {
        says: 'hot serves all the time; warm runs and waits; pilot-light runs one instance and grows to `maxInstances` when it is needed; cold has the release and runs nothing, and starts `instances` when the others cannot carry a failover. All but hot are of tier 2 unless you say otherwise.',
        otherwise: 'hot',
      },
      ['hot', 'warm', 'pilot-light', 'cold'],
    ).optional(),
    env: env.optional(),
  })
  .nullable()
  .meta({ description: 'One platform the application runs on, by its name.' });

const logsSchema = z
  .strictObject({
    drain: z
      .strictObject({
        to: checkedText(
          {
            says: 'Where: `syslog+tls://HOST:PORT` or `syslog+tcp://HOST:PORT` (RFC 5424), `otlp+http://HOST:PORT` or `otlp+https://HOST:PORT` (OTLP in JSON; the path is /v1/logs unless there is one).',
          },
          '^(syslog(\\+(tcp|tls))?|otlp\\+https?)://.+',
          (to) =>
            drainPlace(to) === undefined
              ? {
                  fault: 'not an address that logs can be sent to',
                  remedy: 'for example syslog+tls://logs.example.com:6514 or otlp+http://127.0.0.1:4318',
                }
              : undefined,
        ),
        sources: z
          .array(choice({ says: 'One kind of lines.' }, LOG_SOURCES))
          .min(1)
          .meta({ description: 'Only lines of these sources. Left out: all.' })
          .optional(),
        headers: z
          .record(z.string(), z.string())
          .meta({ description: 'With OTLP: header fields of every batch, such as a token by a reference.' })
          .optional(),
        ca: text({
          says: 'PEM text of an authority to trust besides the well-known ones; a reference reads its file.',
        }).optional(),
      })
      .meta({ description: 'Sends all that it prints elsewhere as well, while `sluice serve` runs.' })
      .optional(),
  })
  .meta({ description: 'What becomes of what it prints.' });

export const applicationSchema = z
  .strictObject({
    source: text({
      says: 'What is deployed: a folder, an archive (zip, tar, tar.gz) or a program (one executable file). This, `git` or `image` is needed unless all targets are static.',
    }).optional(),
    git: gitSchema.optional(),
    image: imageReference.optional(),
    registry: registrySchema.optional(),
    command: command.optional(),
    instances: instances(
      'How many instances run on each platform; a target may say otherwise.',
      1,
    ).optional(),
    memory: memory.optional(),
    processes: z
      .record(
        checkedText({ says: 'Its name.' }, '^[a-z][a-z0-9]*$', (name) =>
          /^[a-z][a-z0-9]{0,15}$/.test(name)
            ? undefined
            : { fault: 'not a name for a process', remedy: 'lower-case letters and digits, at most 16' },
        ),
        processSchema,
      )
      .meta({
        description:
          'Processes by name. `command`, `instances` and `memory` directly on the application mean `web`.',
      })
      .optional(),
    tasks: tasksSchema.optional(),
    services: servicesSchema.optional(),
    env: env.optional(),
    health: healthSchema.optional(),
    startTimeout: duration(
      { says: 'How long a new instance may take until it is ready.', otherwise: '60s' },
      { min: 1_000, max: 3_600_000 },
    ).optional(),
    data: z
      .strictObject({
        writes: choice(
          {
            says: 'Where unsafe requests (all but GET, HEAD and OPTIONS) go. anywhere: like all others. single: to the writer alone, and 503 while there is none. none: nowhere, 405.',
            otherwise: 'anywhere',
          },
          ['anywhere', 'single', 'none'],
        ).optional(),
        writer: text({
          says: 'The target that begins as the writer. Needed with `writes: single`; later it is whoever was promoted last.',
        }).optional(),
        promote: text({
          says: 'A shell command that makes SLUICE_WRITER able to take writes (in epoch SLUICE_EPOCH, from SLUICE_PREVIOUS_WRITER on); it runs once, in the folder of this file, before the writer moves.',
        }).optional(),
        promoteTimeout: duration(
          { says: 'How long that command may take.', otherwise: '60s' },
          { min: 1_000, max: 3_600_000 },
        ).optional(),
      })
      .meta({ description: 'Where writes may be executed.' })
      .optional(),
    routes: z.array(routeSchema).min(1).meta({ description: 'Default: every host and path.' }).optional(),
    slo: sloSchema.optional(),
    affinity: yesNo({ says: 'Of all routes that do not say otherwise.', otherwise: false }).optional(),
    targets: z.record(z.string(), targetSchema).meta({ description: 'The platforms it runs on.' }),
    scale: scaleSchema.optional(),
    logs: logsSchema.optional(),
    deploy: deploySchema.optional(),
    drills: z.array(drillSchema).meta({ description: 'Rehearsed losses of platforms.' }).optional(),
    drift: driftSchema.optional(),
    policy: z
      .union([
        text({ says: 'The name of a preset, or the path of a policy file.', otherwise: 'active-active' }),
        policySchema,
      ])
      .meta({
        description: 'How it fails over: a preset, a file, or written out.',
        otherwise: 'active-active',
      })
      .optional(),
  })
  .meta({ description: 'One application.' });

export type ApplicationInput = z.output<typeof applicationSchema>;

function urlPath(notes: { says: string; otherwise?: string }) {
  return checkedText(notes, '^/', (path) =>
    /^\/[^\s?#]*$/.test(path)
      ? undefined
      : { fault: 'not a path', remedy: 'begin with / and leave out host, query and fragment' },
  );
}
