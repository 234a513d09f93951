import { z } from 'zod';
import { type ServiceSettings, type ServiceSource, serviceVariables } from '../core/services.ts';
import { type Fault, keyFault, valueFault } from './fault.ts';
import { checkedText, described, text } from './fields.ts';
import { isMap, mapAt, type Path, valueAt } from './path.ts';

const SERVICE = '^[a-z][a-z0-9]*$';

const name = checkedText({ says: 'Its name; variables begin with it.' }, SERVICE, (given) =>
  /^[a-z][a-z0-9]{0,15}$/.test(given)
    ? undefined
    : { fault: 'not a name for a service', remedy: 'lower-case letters and digits, at most 16' },
);

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
      const { offering, plan = '', parameters, existing } = source;
      if (offering !== undefined) return [[platform, { how: 'provision', offering, plan, parameters }]];
      return existing === undefined ? [] : [[platform, { how: 'existing', name: existing }]];
    });
    return sources.length === 0 ? [] : [{ name: service, on: Object.fromEntries(sources) }];
  });
}

/** What is: part of the environment of that platform. */
export function givenVariables(input: Input | undefined, platform: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [service, { on }] of Object.entries(input ?? {})) {
    Object.assign(all, serviceVariables(service, on[platform]?.credentials ?? {}));
  }
  return all;
}

const WAYS = ['credentials', 'offering', 'existing'] as const;
const KNOWN_ON = {
  credentials: ['cloudfoundry', 'openshift', 'selfhosted'],
  offering: ['cloudfoundry'],
  existing: ['cloudfoundry', 'openshift'],
} as const;

/** Each target has each service from exactly one place, and from one that its platform knows. */
export function checkServices(path: Path, root: unknown): readonly Fault[] {
  const targets = Object.keys(mapAt(root, [...path, 'targets']));
  const faults: Fault[] = [];
  for (const [service, given] of Object.entries(mapAt(root, [...path, 'services']))) {
    if (!isMap(given)) continue;
    const on = mapAt(root, [...path, 'services', service, 'on']);
    const at = [...path, 'services', service, 'on'];
    for (const platform of targets) {
      const provider = valueAt(root, ['platforms', platform, 'provider']);
      if (provider !== 'static' && !Object.hasOwn(on, platform)) {
        faults.push(
          valueFault(at, `${platform} has no ${service}`, `add ${platform}: { credentials: { url: … } }`),
        );
      }
    }
    for (const [platform, source] of Object.entries(on)) {
      faults.push(...checkSource([...at, platform], platform, isMap(source) ? source : {}, targets, root));
    }
  }
  return faults;
}

function checkSource(
  path: Path,
  platform: string,
  source: Readonly<Record<string, unknown>>,
  targets: readonly string[],
  root: unknown,
): readonly Fault[] {
  if (!targets.includes(platform)) {
    return [keyFault(path, 'the application has no such target', `one of: ${targets.join(', ')}`)];
  }
  const ways = WAYS.filter((way) => source[way] !== undefined);
  if (ways.length !== 1) {
    return [valueFault(path, 'not one place to have it from', `exactly one of ${WAYS.join(', ')}`)];
  }
  const provider = valueAt(root, ['platforms', platform, 'provider']);
  const [way] = ways;
  const faults: Fault[] = [];
  if (way !== undefined && !KNOWN_ON[way].some((one) => one === provider)) {
    faults.push(
      keyFault([...path, way], `${String(provider)} has no such thing`, 'give its `credentials` here'),
    );
  }
  if (way === 'offering' && source['plan'] === undefined) {
    faults.push(valueFault(path, 'an offering has several plans', 'name one: plan: small'));
  }
  for (const key of ['plan', 'parameters']) {
    if (way !== 'offering' && source[key] !== undefined)
      faults.push(keyFault([...path, key], 'this is said of an offering only', 'remove it'));
  }
  return faults;
}
