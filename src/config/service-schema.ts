import { z } from 'zod';
import { type ComparedService, platformsOf } from '../core/service-equality.ts';
import {
  ACCESS_MODES,
  type ServiceSettings,
  type ServiceSource,
  serviceVariables,
  type VolumeClaim,
} from '../core/services.ts';
import { checkedText, choice, described, size, text } from './fields.ts';

const SERVICE = '^[a-z][a-z0-9]*$';

const name = checkedText({ says: 'Its name; variables begin with it.' }, SERVICE, (given) =>
  /^[a-z][a-z0-9]{0,15}$/.test(given)
    ? undefined
    : { fault: 'not a name for a service', remedy: 'lower-case letters and digits, at most 16' },
);

const volumeSchema = z.strictObject({
  size: size(
    { says: 'OpenShift: how much it holds. It can grow later, never shrink.' },
    { min: 1_048_576 },
  ).optional(),
  mount: checkedText(
    { says: 'OpenShift: where instances find it.', otherwise: '/data/SERVICE' },
    '^/[^:]*$',
    (given) =>
      /^(\/[A-Za-z0-9._-]+)+$/.test(given) && !given.split('/').includes('..')
        ? undefined
        : { fault: 'no folder that could be mounted', remedy: 'an absolute path such as /data/files' },
  ).optional(),
  accessMode: choice(
    {
      says: 'OpenShift: how many nodes may have it. With ReadWriteOnce there is one instance, and a new release starts only after the old one stopped.',
      otherwise: 'ReadWriteOnce',
    },
    ACCESS_MODES,
  ).optional(),
  storageClass: text({ says: 'OpenShift: left out, the cluster chooses.' }).optional(),
});

const templateSchema = z.strictObject({
  name: text({ says: 'Its name.' }),
  namespace: text({
    says: 'Where it is; left out, in our own namespace. The usual ones are in `openshift`.',
  }).optional(),
  parameters: z
    .record(z.string(), z.string().meta({ type: ['string', 'number', 'boolean'] }))
    .meta({
      description: 'Values of its parameters; the others are as the template has them, or made up once.',
    })
    .optional(),
});

const sourceSchema = z.strictObject({
  credentials: z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/),
      z.string().meta({ type: ['string', 'number', 'boolean'] }),
    )
    .meta({ description: 'Given here, on any platform: `url` of `db` becomes DB_URL.' })
    .optional(),
  offering: text({
    says: 'Cloud Foundry: the offering to make an instance of, named APPLICATION-SERVICE.',
  }).optional(),
  plan: text({ says: 'Cloud Foundry: the plan of that offering.' }).optional(),
  parameters: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Cloud Foundry: what its broker is told when the instance is made.' })
    .optional(),
  bind: z
    .record(z.string(), z.unknown())
    .meta({
      description:
        'Cloud Foundry, with `offering` or `existing`: what its broker is told when it is bound, such as `mount` of a volume service.',
    })
    .optional(),
  volume: volumeSchema
    .meta({
      description:
        'A folder that outlives releases: a PersistentVolumeClaim on OpenShift, a folder of `sluice host` on a machine of yours ({}). Its path is handed out: FILES_PATH of `files`.',
    })
    .optional(),
  template: templateSchema
    .meta({
      description:
        'OpenShift: a Template that is filled in once. What it exposes by annotations is handed out, or all that is in its Secrets.',
    })
    .optional(),
  existing: text({
    says: 'The name of what is there already: a service instance in our Cloud Foundry space, a Secret in our OpenShift namespace.',
  }).optional(),
});

/** `applications.NAME.services`. */
export const servicesSchema = z
  .record(
    name,
    z
      .strictObject({
        kind: text({ says: 'What it is, for people: postgres, redis.' }).optional(),
        shared: z
          .boolean()
          .meta({
            description:
              'true: one and the same everywhere, so that the values are compared too; false: nothing is compared. Left out: which variables there are is compared where they do not come from an `offering`.',
          })
          .optional(),
        on: z
          .record(z.string(), sourceSchema)
          .meta(described({ says: 'Where each platform has it from. Every target needs one.' })),
      })
      .meta({ description: 'One service.' }),
  )
  .meta({
    description:
      'Databases, caches and the like. What they hand out goes into the environment under the same names on every platform.',
  });

type Input = z.output<typeof servicesSchema>;

/** What is not given in the file itself: the platforms must be asked for it. */
export function assembleServices(input: Input | undefined): readonly ServiceSettings[] {
  return Object.entries(input ?? {}).flatMap(([service, { on }]): ServiceSettings[] => {
    const sources = Object.entries(on).flatMap(([platform, source]): [string, ServiceSource][] => {
      const found = sourceOf(service, source);
      return found === undefined ? [] : [[platform, found]];
    });
    return sources.length === 0 ? [] : [{ name: service, on: Object.fromEntries(sources) }];
  });
}

function sourceOf(service: string, source: z.output<typeof sourceSchema>): ServiceSource | undefined {
  const { offering, plan = '', parameters, existing, volume } = source;
  const bind = source.bind === undefined ? {} : { bind: source.bind };
  if (offering !== undefined) return { how: 'provision', offering, plan, parameters, ...bind };
  if (existing !== undefined) return { how: 'existing', name: existing, ...bind };
  if (source.template !== undefined) {
    const { name, namespace, parameters: given = {} } = source.template;
    return { how: 'template', name, ...(namespace === undefined ? {} : { namespace }), parameters: given };
  }
  if (volume === undefined) return undefined;
  const claim = claimOf(service, volume);
  return { how: 'volume', ...(claim === undefined ? {} : { claim }) };
}

/** Without a size it is a folder of a host. */
function claimOf(service: string, volume: z.output<typeof volumeSchema>): VolumeClaim | undefined {
  const { size: sizeBytes, mount = `/data/${service}`, accessMode = 'ReadWriteOnce', storageClass } = volume;
  if (sizeBytes === undefined) return undefined;
  return { sizeBytes, mount, accessMode, ...(storageClass === undefined ? {} : { storageClass }) };
}

/** What is: part of the environment of that platform. */
export function givenVariables(input: Input | undefined, platform: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [service, { on }] of Object.entries(input ?? {})) {
    Object.assign(all, serviceVariables(service, on[platform]?.credentials ?? {}));
  }
  return all;
}

/** Those that several platforms have, as they are compared. */
export function comparedServices(input: Input | undefined): readonly ComparedService[] {
  return Object.entries(input ?? {}).flatMap(([name, { shared, on }]): ComparedService[] => {
    if (shared === false) return [];
    const given: Record<string, Readonly<Record<string, string>>> = {};
    const asked: string[] = [];
    for (const [platform, { credentials, offering, template, volume }] of Object.entries(on)) {
      // Where a folder lies is every platform's own affair.
      if (volume !== undefined) continue;
      if (credentials !== undefined) given[platform] = serviceVariables(name, credentials);
      // Each broker, and each template, has names of its own.
      else if (shared === true || (offering === undefined && template === undefined)) asked.push(platform);
    }
    const service = { name, shared: shared === true, given, asked };
    return platformsOf(service).length < 2 ? [] : [service];
  });
}
