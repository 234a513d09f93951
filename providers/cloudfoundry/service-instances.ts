import { z } from 'zod';
import { hasClass, platformError, type SluiceError } from '../../src/core/errors.ts';
import type { ServiceSource, ServiceSpec } from '../../src/core/services.ts';
import { escaped, type Session } from './client.ts';
import { isNotThere } from './errors.ts';
import { isOurs, stamps } from './translate.ts';
import { metadata } from './wire.ts';

type Provisioned = Extract<ServiceSource, { how: 'provision' }>;

const toOne = z.object({ data: z.object({ guid: z.string() }).nullish() });
const lastOperation = z
  .object({ type: z.string(), state: z.string(), description: z.string().nullish() })
  .nullish();
export const instanceSchema = z.object({
  guid: z.string(),
  name: z.string(),
  type: z.enum(['managed', 'user-provided']),
  last_operation: lastOperation,
  relationships: z.object({ service_plan: toOne }).partial().optional(),
  metadata,
});
export const bindingSchema = z.object({ guid: z.string(), last_operation: lastOperation });
const planSchema = z.object({ guid: z.string() });
export type Instance = z.output<typeof instanceSchema>;
export type Binding = z.output<typeof bindingSchema>;

export async function makeInstance(
  session: Session,
  application: string,
  service: string,
  { offering, plan, parameters }: Provisioned,
): Promise<void> {
  const planGuid = await findPlan(session, offering, plan);
  await session.post('/v3/service_instances', {
    type: 'managed',
    name: `${application}-${service}`,
    ...(parameters === undefined ? {} : { parameters }),
    relationships: {
      space: { data: { guid: await session.spaceGuid() } },
      service_plan: { data: { guid: planGuid } },
    },
    metadata: { labels: stamps(application) },
  });
}

/** Somebody else's database is not changed, and gets into nobody's environment by chance. */
export function refuseForeignInstance(session: Session, service: string, instance: Instance): void {
  if (isOurs(instance)) return;
  throw platformError(
    'conflict',
    session.platform,
    `${instance.name} is there already, and not made by Sluice`,
    {
      why: `${service} is to be made under that name, and the instance does not carry the label sluice.dev/managed-by=sluice`,
      remedy: `write \`existing: ${instance.name}\` to use it as it is, or give the service another name`,
    },
  );
}

export function instanceName(application: string, { name, source }: ServiceSpec): string {
  return source.how === 'existing' ? source.name : `${application}-${name}`;
}

export function findInstance(
  session: Session,
  application: string,
  service: ServiceSpec,
): Promise<Instance | undefined> {
  return byName(session, instanceName(application, service));
}

export async function byName(session: Session, name: string): Promise<Instance | undefined> {
  const [found] = await session.list('/v3/service_instances', instanceSchema, {
    names: escaped(name),
    space_guids: await session.spaceGuid(),
  });
  return found;
}

export async function findBinding(
  session: Session,
  app: string,
  instance: string,
): Promise<Binding | undefined> {
  const [found] = await session.list('/v3/service_credential_bindings', bindingSchema, {
    ...{ service_instance_guids: instance, app_guids: app, type: 'app' },
  });
  return found;
}

function noMarketplace(platform: string, offering: string, error: SluiceError): SluiceError {
  return platformError(
    'unsupported',
    platform,
    `${offering} cannot be ordered there: it has no marketplace`,
    {
      why: error.message,
      remedy: 'name an instance that exists (`existing`), or give its `credentials`',
    },
  );
}

async function findPlan(session: Session, offering: string, plan: string): Promise<string> {
  const [found] = await session
    .list('/v3/service_plans', planSchema, {
      names: escaped(plan),
      service_offering_names: escaped(offering),
      available: 'true',
    })
    .catch((error: unknown) => {
      throw isNotThere(error) ? noMarketplace(session.platform, offering, error) : error;
    });
  if (found === undefined) {
    throw platformError('notFound', session.platform, `there is no plan ${plan} of ${offering}`, {
      why: 'the marketplace of this org and space has none',
      remedy: 'choose one of `cf marketplace`, or ask the operator to enable it',
    });
  }
  return found.guid;
}

/** The one thing of an instance that is followed: what its broker was told when it was made, nobody can ask for. */
export async function changePlan(
  session: Session,
  { guid, relationships, last_operation }: Instance,
  { offering, plan }: Provisioned,
): Promise<void> {
  const wanted = await findPlan(session, offering, plan);
  const present = relationships?.service_plan?.data?.guid;
  if (present === undefined || present === wanted || last_operation?.state === 'in progress') return;
  const service_plan = { data: { guid: wanted } };
  await session.patch(`/v3/service_instances/${guid}`, { relationships: { service_plan } });
}

export async function bind(
  session: Session,
  application: string,
  { app, instance }: { readonly app: string; readonly instance: string },
  parameters?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await session.post('/v3/service_credential_bindings', {
    type: 'app',
    ...(parameters === undefined ? {} : { parameters }),
    relationships: { service_instance: { data: { guid: instance } }, app: { data: { guid: app } } },
    metadata: { labels: stamps(application) },
  });
}

/** Undefined where the broker does not tell. */
export async function bindingParameters(session: Session, binding: string): Promise<unknown> {
  try {
    const path = `/v3/service_credential_bindings/${binding}/parameters`;
    return await session.find(path, z.record(z.string(), z.unknown()));
  } catch (error) {
    if (hasClass(error, 'unsupported', 'invalid', 'notFound', 'conflict')) return undefined;
    throw error;
  }
}
