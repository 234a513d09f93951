import { z } from 'zod';
import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { HandedOut } from '../../src/core/service-power.ts';
import { type ServiceSpec, serviceVariables } from '../../src/core/services.ts';
import { escaped, type Session } from './client.ts';
import { findOwnApp, requireOwnApp } from './find.ts';
import { failed, handleOf, next, running } from './status.ts';
import { stamps } from './translate.ts';

/** Brokers take minutes for a database. */
const LONGEST_MS = 30 * 60_000;

const lastOperation = z
  .object({ type: z.string(), state: z.string(), description: z.string().nullish() })
  .nullish();
export const instanceSchema = z.object({
  guid: z.string(),
  name: z.string(),
  type: z.enum(['managed', 'user-provided']),
  last_operation: lastOperation,
});
export const bindingSchema = z.object({ guid: z.string(), last_operation: lastOperation });
const detailsSchema = z.object({ credentials: z.record(z.string(), z.unknown()).nullish() });
const planSchema = z.object({ guid: z.string() });
export type Instance = z.output<typeof instanceSchema>;
type Binding = z.output<typeof bindingSchema>;

/** Begun here, and carried on by each poll: one thing after the other, each found again by its name. */
export async function ensureServices(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
): Promise<Operation> {
  const { application, services = [] } = want;
  const app = await requireOwnApp(session, application);
  for (const service of services) {
    const { source } = service;
    if (source.how !== 'provision' || (await findInstance(session, application, service))) continue;
    await makeInstance(session, application, service.name, source);
  }
  const names = services.map((service) => [service.name, instanceName(application, service)]);
  const handle = handleOf(session.platform, application, 'services', context.now(), {
    ...{ app: app.guid, instances: JSON.stringify(names) },
  });
  return { handle };
}

export async function pollServices(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app = '', instances = '[]' } = handle.native;
  const wanted: readonly (readonly [string, string])[] = JSON.parse(instances);
  for (const [service, name] of wanted) {
    const found = await byName(session, name);
    if (found === undefined) return notThere(session, service, name);
    const instance = judge(session, context, handle, service, found);
    if (instance !== undefined) return instance;
    const binding = await findBinding(session, app, found.guid);
    if (binding === undefined) {
      await session.post('/v3/service_credential_bindings', {
        type: 'app',
        relationships: { service_instance: { data: { guid: found.guid } }, app: { data: { guid: app } } },
        metadata: { labels: stamps(handle.application) },
      });
      return running(handle, context.now(), `${service} is being bound`, { handle: next(handle, {}) });
    }
    const bound = judge(session, context, handle, service, binding);
    if (bound !== undefined) return bound;
  }
  return { state: 'succeeded', message: `${wanted.map(([service]) => service).join(', ')} are bound` };
}

/** Undefined: it is there. What the broker says is passed on in its own words. */
function judge(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  service: string,
  thing: { readonly last_operation?: Instance['last_operation'] },
): OperationStatus | undefined {
  const { state = 'succeeded', type = 'create', description } = thing.last_operation ?? {};
  if (state === 'succeeded') return undefined;
  const why = description ?? `${type} ${state}`;
  if (state === 'failed') {
    return failed('invalid', session.platform, `${service} could not be made ready`, {
      why,
      remedy:
        'mend what its broker complains of; then delete the failed instance (cf delete-service) and deploy again',
    });
  }
  if (context.now() - handle.startedAt < LONGEST_MS)
    return running(handle, context.now(), `${service}: ${why}`);
  return failed('timeout', session.platform, `${service} is not ready after ${LONGEST_MS / 60_000} min`, {
    why,
    remedy: 'look at it: cf service; then deploy again',
  });
}

function notThere(session: Session, service: string, name: string): OperationStatus {
  return failed('notFound', session.platform, `there is no service instance ${name}`, {
    why: `${service} is to come from it, and none of that name is in this org and space`,
    remedy:
      'make it (cf create-service, cf create-user-provided-service), or name an `offering` and a `plan`',
  });
}

/** Of each service that is bound; undefined where the application is not there. */
export async function handedOut(
  session: Session,
  application: string,
  services: readonly ServiceSpec[],
): Promise<HandedOut | undefined> {
  const app = await findOwnApp(session, application);
  if (app === undefined) return undefined;
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const service of services) {
    const instance = await findInstance(session, application, service);
    const binding = instance && (await findBinding(session, app.guid, instance.guid));
    if (binding === undefined || (binding.last_operation?.state ?? 'succeeded') !== 'succeeded') continue;
    const path = `/v3/service_credential_bindings/${binding.guid}/details`;
    const { credentials } = await session.get(path, detailsSchema);
    found[service.name] = serviceVariables(service.name, credentials ?? {});
  }
  return found;
}

/** The environment with what its services hand out; nothing of those that are not bound yet. */
export async function withServices(session: Session, want: TargetSpec): Promise<TargetSpec> {
  const { application, services = [] } = want;
  if (services.length === 0) return want;
  const handed = (await handedOut(session, application, services)) ?? {};
  // What the file says for this platform stands above it.
  return { ...want, env: Object.assign({}, ...Object.values(handed), want.env) };
}

async function makeInstance(
  session: Session,
  application: string,
  service: string,
  { offering, plan, parameters }: Extract<ServiceSpec['source'], { how: 'provision' }>,
): Promise<void> {
  const [found] = await session.list('/v3/service_plans', planSchema, {
    names: escaped(plan),
    service_offering_names: escaped(offering),
    available: 'true',
  });
  if (found === undefined) {
    throw platformError('notFound', session.platform, `there is no plan ${plan} of ${offering}`, {
      why: 'the marketplace of this org and space has none',
      remedy: 'choose one of `cf marketplace`, or ask the operator to enable it',
    });
  }
  await session.post('/v3/service_instances', {
    type: 'managed',
    name: `${application}-${service}`,
    ...(parameters === undefined ? {} : { parameters }),
    relationships: {
      space: { data: { guid: await session.spaceGuid() } },
      service_plan: { data: { guid: found.guid } },
    },
    metadata: { labels: stamps(application) },
  });
}

function instanceName(application: string, { name, source }: ServiceSpec): string {
  return source.how === 'existing' ? source.name : `${application}-${name}`;
}

export function findInstance(
  session: Session,
  application: string,
  service: ServiceSpec,
): Promise<Instance | undefined> {
  return byName(session, instanceName(application, service));
}

async function byName(session: Session, name: string): Promise<Instance | undefined> {
  const [found] = await session.list('/v3/service_instances', instanceSchema, {
    names: escaped(name),
    space_guids: await session.spaceGuid(),
  });
  return found;
}

async function findBinding(session: Session, app: string, instance: string): Promise<Binding | undefined> {
  const [found] = await session.list('/v3/service_credential_bindings', bindingSchema, {
    ...{ service_instance_guids: instance, app_guids: app, type: 'app' },
  });
  return found;
}
